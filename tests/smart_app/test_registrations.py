"""The file of registrations: what is wrong in it is named at start, and nothing secret repeated."""

from pathlib import Path

import pytest

from cds_service.smart_app.registrations import RegistrationsInvalid, load_registrations

GOOD = '[[registration]]\nfhir_server = "https://ehr.example.org/fhir/"\nclient_id = "app"\n'


def _load(folder: Path, text: str) -> str:
    file = folder / "apps.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RegistrationsInvalid) as invalid:
        load_registrations(file)
    assert str(folder) not in str(invalid.value)
    return str(invalid.value)


def test_a_registration_is_found_by_its_fhir_server(tmp_path: Path) -> None:
    file = tmp_path / "apps.toml"
    file.write_text(GOOD, encoding="utf-8")
    assert list(load_registrations(file)) == ["https://ehr.example.org/fhir"]


FAULTS = {
    "not TOML": ("registration", "not TOML"),
    "nothing in it": ("", "registration: missing"),
    "an unknown member": (GOOD + "tenant = 'x'\n", "registration[1].tenant"),
    "no client_id": ('[[registration]]\nfhir_server = "https://x.example"\n', "registration[1].client_id"),
    "no URL": (GOOD.replace("https://ehr.example.org/fhir/", "ehr"), "fhir_server: must be an absolute"),
    "a server twice": (GOOD + GOOD, "registration[2].fhir_server: stands there more than once"),
    "a frame that is no origin": (GOOD + 'embedded_by = ["https://x.org/y"]\n', "embedded_by[1]: must be an origin"),
    "secret and key": (
        GOOD + 'client_secret_file = "a"\nprivate_key_file = "b"\n', "keep one, or none for a public client",
    ),
    "a secret file that isn't there": (GOOD + 'client_secret_file = "a"\n', "can't be read"),
    "a key that is none": (GOOD + 'private_key_file = "apps.toml"\n', "no private JWK"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_it_is_refused_for(fault: str, tmp_path: Path) -> None:
    text, says = FAULTS[fault]
    assert says in _load(tmp_path, text)


def test_a_missing_file_is_named_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(RegistrationsInvalid, match=r"^CDS_SMART_REGISTRATIONS: gone.toml: the file can't be read"):
        load_registrations(tmp_path / "gone.toml")
