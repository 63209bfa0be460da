"""A hospital whose charts carry its own codes only: silent without its concept map, right with it.

The whole conversation over real HTTP: the EHR discovers the service, asks its FHIR server for what the templates say,
and calls. All data are synthetic.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from cds_service.app import create_app
from cds_service.fhir_reading.server import fill_template
from cds_service.outbound.plain import post_json
from cds_service.sandbox.ehr import Ehr, Exchange
from cds_service.sandbox.fixtures import fixture_folder, load_index
from cds_service.sandbox.server import FHIR_PATH, add_sandbox, filled_store, listening
from cds_service.settings import Settings
from cds_service.site_knowledge import load_site_knowledge
from fhir_fixtures.dates import AS_OF, REFERENCE_DAY
from tests.builders import chart
from tests.builders.concept_maps import (
    ATC,
    EXAMPLE,
    FORMULARY,
    ICD_10_CM,
    LAB,
    LOINC,
    PROBLEMS,
    concept_map,
    group,
    written,
)
from tests.builders.conversation import post

PATIENT = "leonie-probst"
ASSESSMENT = "org.cytopenia-cds.assessment"
OPS_TOKEN = "synthetic-operator-token"


def _settings(folder: Path, *maps: Path, **members: Any) -> Settings:
    database = f"sqlite:///{folder}/feedback.sqlite3"
    return Settings(auth="off", database_url=database, concept_maps=maps, ops_token=OPS_TOKEN, **members)


@contextmanager
def hospital(folder: Path, *maps: Path) -> Iterator[Ehr]:
    """An EHR with the synthetic patients on its FHIR server, and the service, on a loopback port."""
    index = load_index(fixture_folder())
    with listening("127.0.0.1", 0) as (listener, url):
        settings = _settings(folder, *maps, fhir_servers=url + FHIR_PATH, allow_http=True)
        app = create_app(settings, clock=lambda: AS_OF)
        add_sandbox(app, url, index, filled_store(index, REFERENCE_DAY), load_site_knowledge(settings))
        host, port = listener.getsockname()
        server = make_server(host, port, app, threaded=True, fd=listener.fileno())
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Ehr(url, url + FHIR_PATH)
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def without_map(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ehr]:
    with hospital(tmp_path_factory.mktemp("without")) as ehr:
        yield ehr


@pytest.fixture(scope="module")
def with_map(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ehr]:
    with hospital(tmp_path_factory.mktemp("with"), EXAMPLE) as ehr:
        yield ehr


def _assessment(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = answer["extension"][ASSESSMENT]
    return found


def _verdicts(answer: Mapping[str, Any]) -> dict[str, str]:
    return {one["finding"]: one["verdict"] for one in _assessment(answer)["findings"]}


def _sent(exchange: Exchange, key: str) -> int:
    prefetch: Any = exchange.request["prefetch"]
    return int(prefetch[key]["total"])


def test_without_the_map_there_is_no_data_and_no_card(without_map: Ehr) -> None:
    exchange = without_map.open_chart(PATIENT)
    assert set(_verdicts(exchange.response).values()) == {"no-recent-result"}
    assert not exchange.cards
    assert _sent(exchange, "counts") == 0, "the service doesn't ask for codes it doesn't know"


def test_with_the_map_the_same_chart_leads_to_the_card(with_map: Ehr) -> None:
    exchange = with_map.open_chart(PATIENT)
    assert set(_verdicts(exchange.response).values()) == {"present"}
    (card,) = exchange.cards
    assert card["indicator"] == "warning"
    assert "WBC 2.8" in card["summary"]
    assert (_sent(exchange, "counts"), _sent(exchange, "companions")) == (4, 1)
    assert "Concept maps of this site: ExampleHospital 2026.1." in card["detail"].replace("\\", "")
    assessment = _assessment(exchange.response)
    assert "+maps:" in assessment["knowledgeVersion"]
    found = {one["group"]: one["evidence"][0] for one in assessment["causeGroups"]}
    assert {name: (one["system"], one["code"]) for name, one in found.items()} == {
        "splenic": (PROBLEMS, "HX-3301"),
        "drug": (FORMULARY, "F-20117"),
    }, "the evidence is what stands in the chart"
    assert assessment["notAvailable"] == ["conditions:unmapped"], "one condition isn't in the map"
    assert "1 condition in local code systems not understood" in card["detail"]
    assert "not found in the data sent" not in card["detail"]


def test_the_service_reads_local_codes_from_the_fhir_server_itself(with_map: Ehr) -> None:
    exchange = with_map.open_chart(PATIENT)
    request = {name: part for name, part in exchange.request.items() if name != "prefetch"}
    answer = post_json(f"{with_map.service}/cds-services/cytopenia-review", request)
    assert isinstance(answer.document, dict)
    assert answer.document["cards"] == exchange.cards


@pytest.mark.parametrize("patient", ["amara-okafor", "oliver-example", "moira-sample"])
def test_a_map_changes_nothing_for_charts_in_standard_codes(with_map: Ehr, without_map: Ehr, patient: str) -> None:
    before, after = without_map.open_chart(patient), with_map.open_chart(patient)
    assert _verdicts(before.response) == _verdicts(after.response)
    assert [card["summary"] for card in before.cards] == [card["summary"] for card in after.cards]


# --- One call, without a FHIR server ---------------------------------------------------------------------------------


def _client(folder: Path, *groups: Any) -> FlaskClient:
    path = written(folder, concept_map(*groups))
    return create_app(_settings(folder, path), clock=lambda: chart.AS_OF).test_client()


def _coded(*codings: tuple[str, str]) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for system, code in codings]}


def _wbc(value: float, days: int, *codings: tuple[str, str]) -> dict[str, Any]:
    return {"wbc": value, "days": days, "with": {"code": _coded(*codings)}}


def _answered(client: FlaskClient, *notes: dict[str, Any]) -> Mapping[str, Any]:
    answer = post(client, chart.call(chart.prefetch(notes)))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    body: Mapping[str, Any] = answer.get_json()
    return body


LOCAL, STANDARD, PLATELETS, CSF = (LAB, "WBC"), (LOINC, "6690-2"), (LOINC, "777-3"), (LOINC, "26465-5")


@pytest.mark.parametrize(
    ("codings", "leukopenia", "reasons"),
    [
        pytest.param([LOCAL], "present", [], id="the local code alone"),
        pytest.param([LOCAL, STANDARD], "present", [], id="both say the same"),
        pytest.param([(LAB, "elsewhere"), LOCAL], "present", [], id="beside another local code"),
        pytest.param([("http://other.example.org", "WBC")], "no-recent-result", [], id="another system"),
        pytest.param([(LAB, "wbc")], "no-recent-result", [], id="another letter case"),
        pytest.param(
            [LOCAL, PLATELETS], "not-evaluable", ["contradictory-codes"] * 4, id="a standard code contradicts"
        ),
        pytest.param([LOCAL, CSF], "not-evaluable", ["contradictory-codes"] * 2, id="a look-alike beside it"),
        pytest.param([STANDARD, (LAB, "CSF")], "not-evaluable", ["contradictory-codes"] * 2, id="a local look-alike"),
        pytest.param([(LAB, "CSF")], "no-recent-result", [], id="a local look-alike alone"),
    ],
)
def test_a_local_coding_is_held_against_those_beside_it(
    tmp_path: Path, codings: list[tuple[str, str]], leukopenia: str, reasons: list[str]
) -> None:
    client = _client(tmp_path, group(LAB, LOINC, WBC="6690-2", CSF="26465-5"))
    answer = _answered(client, _wbc(2.9, 1, *codings), _wbc(3.1, 21, *codings))
    assert _verdicts(answer)["leukopenia"] == leukopenia
    assert [one["reason"] for one in _assessment(answer).get("notUsed", [])] == reasons


def test_the_templates_ask_for_odd_codes_so_that_a_server_understands_them(tmp_path: Path) -> None:
    client = _client(tmp_path, group(LAB, LOINC, **{"W,B|C$ 1&2": "6690-2", "HB+": "718-7", "CSF": "26465-5"}))
    templates = client.get("/cds-services").get_json()["services"][0]["prefetch"]
    counts, companions = (_asked_codes(templates[key]) for key in ("counts", "companions"))
    assert f"{LAB}|W\\,B\\|C\\$ 1&2" in counts, "comma, bar and dollar escaped as R4 asks"
    assert f"{LAB}|HB+" in companions
    assert "CSF" not in counts + companions, "what is never read isn't asked for"


def _asked_codes(template: str) -> str:
    """The value of `code` as a FHIR server gets it when a client fills the template as it stands, and when we do."""
    (by_client,) = parse_qs(template.partition("?")[2])["code"]
    (by_us,) = parse_qs(fill_template(template, {"context.patientId": "p"}).partition("?")[2])["code"]
    assert by_client == by_us
    return by_client


def test_conditions_and_drugs_in_local_codes_count_as_understood_where_they_are_mapped(tmp_path: Path) -> None:
    client = _client(tmp_path, group(PROBLEMS, ICD_10_CM, HX="K74.60"), group(FORMULARY, ATC, F="L04AX01"))
    low = (_wbc(2.9, 1, STANDARD), _wbc(3.1, 21, STANDARD))
    cirrhosis = {"condition": "local x", "with": {"code": _coded((PROBLEMS, "HX"))}}
    drug = {"medication": "text x", "days": 60, "with": {"medicationCodeableConcept": _coded((FORMULARY, "F"))}}
    understood = _assessment(_answered(client, *low, cirrhosis, drug))
    assert {one["group"] for one in understood["causeGroups"]} == {"splenic", "drug"}
    assert "notAvailable" not in understood
    unmapped = {"condition": "local y", "with": {"code": _coded((PROBLEMS, "HY"))}}
    other = {"medication": "text y", "days": 60, "with": {"medicationCodeableConcept": _coded((FORMULARY, "G"))}}
    partly = _assessment(_answered(client, *low, cirrhosis, drug, unmapped, other))
    assert partly["notAvailable"] == ["conditions:unmapped", "medications:unmapped"]


def test_the_operator_sees_the_maps_in_the_readiness_details_and_nobody_else(tmp_path: Path) -> None:
    client = _client(tmp_path, group(LAB, LOINC, WBC="6690-2", X=[{"equivalence": "unmatched"}]))
    details = client.get("/readyz", headers={"Authorization": f"Bearer {OPS_TOKEN}"}).get_json()
    assert details["versions"]["conceptMaps"] == "SyntheticSite 1 (1 of 2 codes used)"
    assert "+maps:" in details["versions"]["knowledge"]
    assert client.get("/readyz").get_json() == {"status": "ready"}
    assert "SyntheticSite 1" in client.get("/about").get_data(as_text=True)
