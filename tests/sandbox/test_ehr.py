"""The EHR's side over real HTTP: discovery, prefetch, the call, feedback, and what is said when one of them fails."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from cds_service.outbound.plain import get_json
from cds_service.sandbox.commands import load_command, open_chart_command
from cds_service.sandbox.ehr import Ehr, EhrError
from tests.builders.client_tokens import ISSUER
from tests.builders.ports import free_port
from tests.builders.serving import serving
from tests.sandbox.conftest import RunningSandbox

NOWHERE = "http://127.0.0.1:9"


def open_chart(*arguments: str) -> Result:
    return CliRunner().invoke(open_chart_command, arguments)


def test_the_call_is_a_patient_view_with_every_key_that_could_be_filled(sandbox: RunningSandbox) -> None:
    exchange = Ehr(sandbox.url, sandbox.fhir).open_chart("amara-okafor")
    request = json.loads(json.dumps(exchange.request))
    assert (request["hook"], request["fhirServer"]) == ("patient-view", sandbox.fhir)
    assert request["context"] == {"userId": "Practitioner/example", "patientId": "amara-okafor"}
    assert request["prefetch"]["patient"]["id"] == "amara-okafor"
    assert request["prefetch"]["counts"]["resourceType"] == "Bundle"
    assert set(exchange.left_out) == {"odd"}
    assert "odd" not in request["prefetch"]
    assert len(exchange.cards) == 1


def test_each_opening_is_an_invocation_of_its_own(sandbox: RunningSandbox) -> None:
    ehr = Ehr(sandbox.url, sandbox.fhir)
    assert ehr.open_chart("amara-okafor").hook_instance != ehr.open_chart("amara-okafor").hook_instance


def test_a_key_whose_query_fails_is_left_out_not_sent_as_null(sandbox: RunningSandbox) -> None:
    exchange = Ehr(sandbox.url, sandbox.fhir).open_chart("nobody")
    assert "patient" not in json.loads(json.dumps(exchange.request))["prefetch"]
    assert "404" in exchange.left_out["patient"]


def test_an_access_token_is_sent_but_not_kept(sandbox: RunningSandbox) -> None:
    exchange = Ehr(sandbox.url, sandbox.fhir, access_token="s3cret-token").open_chart("amara-okafor")
    granted = sandbox.calls[-1]["fhirAuthorization"]
    assert (granted["access_token"], granted["token_type"]) == ("s3cret-token", "Bearer")
    assert "s3cret-token" not in json.dumps(exchange.request)


@pytest.mark.parametrize(("service", "says"), [(NOWHERE, "Is it running?"), ("/sandbox", "offers no service")])
def test_a_service_that_isnt_there_is_said_in_a_line(sandbox: RunningSandbox, service: str, says: str) -> None:
    url = service if service.startswith("http") else sandbox.url + "/sandbox/fhir/Basic"
    with pytest.raises(EhrError, match=says):
        Ehr(url, sandbox.fhir).open_chart("amara-okafor")


def test_the_terminal_shows_the_card(sandbox: RunningSandbox) -> None:
    result = open_chart("amara-okafor", "--fhir-server", sandbox.fhir, "--service", sandbox.url)
    assert result.exit_code == 0
    for text in ("Warning", "Leukocytes 2.9", "Suggestions", "(recommended)", "Leukopenia: present", "Source: "):
        assert text in result.output


def test_the_terminal_says_so_when_there_is_no_card(sandbox: RunningSandbox) -> None:
    result = open_chart("Patient/oliver-example", "--fhir-server", sandbox.fhir + "/", "--service", sandbox.url)
    assert result.exit_code == 0
    assert "No cards" in result.output
    assert "Leukopenia: absent" in result.output


def test_json_is_the_answer_itself(sandbox: RunningSandbox) -> None:
    result = open_chart("amara-okafor", "--fhir-server", sandbox.fhir, "--service", sandbox.url, "--json")
    assert json.loads(result.stdout)["cards"][0]["indicator"] == "warning"


FAILURES = [
    (("nobody", "--fhir-server", "FHIR", "--service", "URL"), 1, "no Patient/nobody on the FHIR server at http"),
    (("amara-okafor", "--fhir-server", NOWHERE, "--service", "URL"), 1, "can't be read (not-reached). Is it running"),
    (("amara-okafor", "--fhir-server", "FHIR", "--service", NOWHERE), 1, "Is it running?"),
    (("walter-vorlage", "--fhir-server", "FHIR", "--service", "URL"), 1, "answered 412: The counts could not be had."),
    (("amara-okafor",), 2, "--fhir-server"),
    (("amara-okafor", "--fhir-server", "fhir.example.org"), 2, "must begin with http"),
]


@pytest.mark.parametrize(("arguments", "exit_code", "says"), FAILURES, ids=[case[2] for case in FAILURES])
def test_failures_are_one_line_and_an_exit_code(
    sandbox: RunningSandbox, arguments: tuple[str, ...], exit_code: int, says: str
) -> None:
    addresses = {"FHIR": sandbox.fhir, "URL": sandbox.url}
    result = open_chart(*(addresses.get(argument, argument) for argument in arguments))
    assert result.exit_code == exit_code
    error = result.stderr.splitlines()[-1]
    assert error.startswith("Error: ")
    assert says in error


def test_load_puts_every_patient_on_a_server(sandbox: RunningSandbox) -> None:
    result = CliRunner().invoke(load_command, ["--fhir-server", sandbox.fhir])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"Loaded to {sandbox.fhir}: ")
    read = get_json(f"{sandbox.fhir}/Patient/amara-okafor").document
    assert isinstance(read, dict)
    assert int(read["meta"]["versionId"]) >= 2


def test_load_says_which_server_cant_be_reached() -> None:
    result = CliRunner().invoke(load_command, ["--fhir-server", NOWHERE])
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"Error: The FHIR server at {NOWHERE} can't be called (not-reached)." in result.stderr


@pytest.mark.server
def test_a_service_for_trusted_clients_is_called_with_signed_tokens(sandbox: RunningSandbox, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    keys = CliRunner().invoke(main, ["client-key", str(tmp_path / "key")]).stdout
    (tmp_path / "keys.json").write_text(keys, encoding="utf-8")
    trusted = tmp_path / "clients.toml"
    trusted.write_text(f'[[client]]\nissuer = "{ISSUER}"\njwks_file = "keys.json"\n', encoding="utf-8")
    arguments = ["open-chart", "amara-okafor", "--fhir-server", sandbox.fhir, "--service", url]
    with serving(tmp_path, "--port", str(port), CDS_TRUSTED_CLIENTS=str(trusted), CDS_PUBLIC_URL=url):
        stranger = CliRunner().invoke(main, arguments)
        known = CliRunner().invoke(main, [*arguments, "--json", "--sign-as", ISSUER, str(tmp_path / "key")])
    assert stranger.exit_code == 1
    assert "answers trusted clients only; sign with --sign-as" in stranger.stderr
    assert known.exit_code == 0, known.stderr
    assert "cards" in json.loads(known.stdout)


def test_what_is_no_private_key_is_a_wrong_option(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("{}", encoding="utf-8")
    arguments = ["open-chart", "x", "--fhir-server", "http://127.0.0.1:9", "--sign-as", "me", str(tmp_path / "key")]
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 2
    assert "holds no private JWK" in refused.stderr
