"""Every call about a patient leaves an entry: who asked, about whom, what was answered. Never an id, value or word."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fhir.resources.R4B.auditevent import AuditEvent
from flask.testing import FlaskClient

from cds_service.app import build_parts, create_app
from cds_service.audit.pseudonyms import AuditPseudonyms
from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.cds_hooks.errors import ClientRefused
from cds_service.cli import main
from cds_service.composition.parts import Parts
from cds_service.records.audit_trail import AuditTrail
from cds_service.records.database import Database
from cds_service.settings import Settings
from cds_service.web.request_log import CallRecord
from tests.builders import chart
from tests.builders.behind import written
from tests.builders.client_tokens import ec_key, key_set, public_jwk
from tests.builders.conversation import FEEDBACK, SERVICE, overridden, replaced, valid_call, without

KEY = "synthetic-pseudonym-key"
NORTH = CdsClient("https://ehr.example.org/fhir", "north")
MARKS = ("synthetic-1", "synthetic-p1", "Marker", "1970-05-05")
Json = dict[str, Any]
Make = Callable[..., FlaskClient]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/records.sqlite3"


@pytest.fixture
def make(url: str) -> Make:
    """A client of the whole service; `parts` replaces some of them, the rest are settings."""

    def made(parts: Json | None = None, observers: tuple[Any, ...] = (), **members: Any) -> FlaskClient:
        settings = Settings(**({"auth": "off", "database_url": url, "pseudonym_key": KEY} | members))
        whole: Parts = replace(build_parts(settings, lambda: chart.AS_OF), **(parts or {}))
        return create_app(settings, lambda: chart.AS_OF, whole, (written(whole), *observers)).test_client()

    return made


@pytest.fixture
def export(url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `cds-service audit export`."""
    monkeypatch.setenv("CDS_DATABASE_URL", url)
    monkeypatch.setenv("CDS_PSEUDONYM_KEY", KEY)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["audit", "export", *arguments])

    return run


def _events(result: Result) -> list[Json]:
    """The exported events, each valid and free of patient data."""
    assert result.exit_code == 0, result.output
    assert not [mark for mark in MARKS if mark in result.stdout]
    events = [json.loads(line) for line in result.stdout.splitlines()]
    for event in events:
        assert AuditEvent.model_validate(event).model_dump(mode="json", exclude_none=True)["action"] == "E"
    return events


def _details(event: Json) -> list[tuple[str, str]]:
    (answer,) = (entity for entity in event["entity"] if entity.get("name") == "answer")
    return [(detail["type"], detail["valueString"]) for detail in answer["detail"]]


def test_an_answered_call_is_told_as_who_whom_and_what(make: Make, export: Any, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_bytes(key_set(public_jwk(ec_key())))
    trusted = tmp_path / "trusted.toml"
    trusted.write_text(f'[[client]]\nissuer = "{NORTH.issuer}"\njwks_file = "keys.json"\ntenant = "north"\n')
    client = make({"authenticate": lambda *_: NORTH}, auth="required", trusted_clients=trusted)
    card = client.post(SERVICE, json=valid_call()).get_json()["cards"][0]
    (event,) = _events(export())
    assert (event["recorded"], event["outcome"]) == ("2026-01-15T12:00:00Z", "0")
    user, client, service = event["agent"]
    pseudonyms = AuditPseudonyms(KEY.encode())
    assert user["who"]["identifier"]["value"] == pseudonyms.user("Practitioner/synthetic-p1").hash
    assert [agent["requestor"] for agent in event["agent"]] == [True, False, False]
    assert client["who"]["identifier"]["value"] == NORTH.issuer
    assert event["source"]["site"] == "north"
    assert service["who"]["display"] == "cytopenia-cds cytopenia-review"
    patient, instance, _ = event["entity"]
    assert patient["what"]["identifier"]["value"] == pseudonyms.patient("synthetic-1").hash
    assert instance["what"]["identifier"]["value"] == f"urn:uuid:{chart.HOOK_INSTANCE}"
    told = _details(event)
    assert ("verdicts.bicytopenia", "present") in told
    assert ("cards", card["uuid"]) in told
    assert ("indicator", card["indicator"]) in told
    assert "knowledgeVersion" in dict(told)


@pytest.mark.parametrize(
    ("call", "status", "outcome", "refused"),
    [
        (without(valid_call(), "prefetch"), 412, "4", "DataNotAvailable"),
        (replaced(valid_call(), "Marker", "prefetch", "patient", "id"), 412, "4", "DataNotAvailable"),
    ],
)
def test_a_call_that_was_refused_is_told_too(
    make: Make, export: Any, call: Json, status: int, outcome: str, refused: str
) -> None:
    assert make().post(SERVICE, json=call).status_code == status
    (event,) = _events(export())
    assert event["outcome"] == outcome
    assert _details(event) == [("status", str(status)), ("refused", refused)]
    assert event["agent"][1]["who"] == {"display": "client not authenticated"}


def test_a_call_that_failed_is_told_too(make: Make, export: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("Marker")

    monkeypatch.setattr("cds_service.services.cytopenia_review.assess", fail)
    assert make().post(SERVICE, json=valid_call()).status_code == 500
    (event,) = _events(export())
    assert (event["outcome"], dict(_details(event))["refused"]) == ("8", "unexpected")


def test_what_is_about_no_patient_is_not_told(make: Make, export: Any) -> None:
    def refuse(*_: object) -> CdsClient:
        raise ClientRefused("missing")

    client = make()
    client.get("/cds-services")
    client.post(FEEDBACK, json={"feedback": [overridden()]})
    client.post(SERVICE, json={"hook": "Marker"})
    make({"authenticate": refuse}).post(SERVICE, json=valid_call())
    assert _events(export()) == []


def test_the_database_holds_no_id_in_the_clear(make: Make, tmp_path: Path) -> None:
    make().post(SERVICE, json=valid_call())
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert AuditPseudonyms(KEY.encode()).patient("synthetic-1").hash.encode() in kept
    assert b"synthetic-p1" not in kept
    assert b"synthetic-1" not in kept


def test_off_means_that_nothing_is_told(make: Make, export: Any) -> None:
    assert make(audit=False).post(SERVICE, json=valid_call()).status_code == 200
    assert _events(export()) == []


def test_without_a_database_the_call_is_answered_and_the_loss_is_told(make: Make, tmp_path: Path) -> None:
    records: list[CallRecord] = []
    client = make(observers=(records.append,), records_writes="before")
    assert client.post(SERVICE, json=valid_call()).status_code == 200
    (tmp_path / "records.sqlite3").unlink()
    assert client.post(SERVICE, json=valid_call()).status_code == 200
    assert [record.audit for record in records] == [None, "lost"]


@pytest.mark.parametrize(("asked", "found"), [("synthetic-1", 2), ("synthetic-2", 1), ("synthetic-3", 0), ("", 0)])
def test_who_asked_about_one_patient(make: Make, export: Any, asked: str, found: int) -> None:
    client = make()
    other = replaced(valid_call(), "synthetic-2", "context", "patientId")
    for call in (valid_call(), other, valid_call(fhirServer="https://ehr.example.org/fhir")):
        client.post(SERVICE, json=call)
    result = export("--patient", asked)
    assert len(_events(result)) == found
    assert result.stderr == f"{found} {'entry' if found == 1 else 'entries'} exported.\n"


def test_entries_of_another_key_are_counted_since_they_cannot_be_searched(make: Make, export: Any) -> None:
    make(pseudonym_key="another-synthetic-key").post(SERVICE, json=valid_call())
    make(pseudonym_key=None).post(SERVICE, json=valid_call())
    make().post(SERVICE, json=valid_call())
    assert "1 entry exported.\n2 more in this period can't be searched" in export("--patient", "synthetic-1").stderr
    assert export().stderr == "3 entries exported.\n"


def test_while_a_key_is_replaced_both_are_searched(make: Make, export: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make(pseudonym_key="another-synthetic-key").post(SERVICE, json=valid_call())
    make().post(SERVICE, json=valid_call())
    monkeypatch.setenv("CDS_PSEUDONYM_KEY_PREVIOUS", "another-synthetic-key")
    result = export("--patient", "synthetic-1")
    assert len(_events(result)) == 2
    assert result.stderr == "2 entries exported.\n"


def test_a_search_without_the_key_is_refused_rather_than_empty(export: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDS_PSEUDONYM_KEY")
    result = export("--patient", "synthetic-1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "CDS_PSEUDONYM_KEY" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--from", "2026-01-15"), 1),
        (("--from", "2026-01-16"), 0),
        (("--to", "2026-01-15"), 0),
        (("--to", "2026-01-16"), 1),
        (("--from", "2026-01-15T12:00:00"), 1),
        (("--to", "2026-01-15T12:00:00Z"), 0),
        (("--to", "2026-01-15T12:01"), 1),
    ],
)
def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(
    make: Make, export: Any, arguments: tuple[str, ...], found: int
) -> None:
    make().post(SERVICE, json=valid_call())
    assert len(_events(export(*arguments))) == found


def test_an_odd_period_is_refused(export: Any) -> None:
    assert export("--from", "yesterday").exit_code == 2


def test_no_database_is_an_error_in_one_line(export: Any) -> None:
    result = export()
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)


def test_an_entry_has_the_same_id_in_every_export_and_another_entry_another(make: Make, export: Any) -> None:
    client = make()
    client.post(SERVICE, json=valid_call())
    client.post(SERVICE, json=valid_call(hookInstance="3f333df6-90a4-4fda-8dd3-9485d27cee36"))
    first, second = ([event["id"] for event in _events(export())] for _ in range(2))
    assert first == second
    assert len(set(first)) == 2


def test_hashes_differ_by_key_and_by_what_they_stand_for() -> None:
    one, other = AuditPseudonyms(b"a" * 16), AuditPseudonyms(b"b" * 16)
    hashes = {one.patient("x").hash, one.user("x").hash, other.patient("x").hash, other.user("x").hash}
    assert len(hashes) == 4
    assert one.key_id != other.key_id


def test_the_trail_streams(make: Make, url: str) -> None:
    client = make()
    for _ in range(3):
        client.post(SERVICE, json=valid_call())
    trail = AuditTrail(Database(url)).export()
    assert next(trail).client == ANYONE
    assert len(list(trail)) == 2
