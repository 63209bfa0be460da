"""FHIR servers understand searches differently: each chart gets the card that the same chart gets from prefetch."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Request, Response
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.builders import chart
from tests.builders.conversation import post
from tests.builders.picky_server import PickyServer, Refuses, Retells, picky_server

LOW = chart.resources([{"wbc": 2.9, "days": 1}, {"wbc": 3.1, "days": 21}, {"plt": 88, "days": 1}])
OTHERS = chart.resources(
    [{"hb": 9.1, "days": number, "id": f"hb{number}"} for number in range(1, 40)]
    + [{"anc": 1.2, "days": 1, "id": "anc1"}, {"condition": "icd10cm K74.60", "days": 400}]
)
NORMAL = chart.resources([{"wbc": 6.0, "days": 1}, {"plt": 210, "days": 1}])


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A service; each server that it meets has a base of its own."""
    database = tmp_path_factory.mktemp("servers") / "feedback.sqlite3"
    settings = Settings(auth="off", fhir_servers=("http://127.0.0.1:*/fhir",), database_url=f"sqlite:///{database}")
    with create_app(settings, clock=lambda: chart.AS_OF).test_client() as test_client:
        yield test_client


def opened(client: FlaskClient, server: PickyServer) -> Any:
    """The answer to a call that leaves everything to the FHIR server."""
    call = chart.call({}, fhirServer=server.base, fhirAuthorization={"access_token": "t", "token_type": "Bearer"})
    answer = post(client, {name: value for name, value in call.items() if name != "prefetch"})
    assert answer.status_code in {200, 412}, answer.get_data(as_text=True)
    return answer.get_json()


def found(body: Any) -> tuple[list[str], list[str]]:
    """The cards' summaries, and what wasn't available."""
    told = body["extension"]["org.cytopenia-cds.assessment"]
    return [card["summary"] for card in body["cards"]], told.get("notAvailable", [])


def from_prefetch(client: FlaskClient, resources: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    return found(post(client, chart.call(_prefetched(resources))).get_json())


def _prefetched(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "patient": chart.patient(),
        "counts": chart.searchset(one for one in resources if one["resourceType"] == "Observation"),
        "companions": chart.searchset([]),
        "conditions": chart.searchset(one for one in resources if one["resourceType"] == "Condition"),
        "medications": chart.searchset([]),
    }


def refused(status: int = 400) -> Response:
    return Response('{"resourceType": "OperationOutcome"}', status, content_type="application/fhir+json")


def nothing() -> Response:
    return Response('{"resourceType": "Bundle", "type": "searchset"}', content_type="application/fhir+json")


def bundle_of(*resources: dict[str, Any]) -> Response:
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]}
    return Response(json.dumps(bundle), content_type="application/fhir+json")


def lists(request: Request) -> bool:
    return "," in request.args.get("code", "") + request.args.get("component-code", "")


REFUSALS: dict[str, Refuses] = {
    "knows no _sort": lambda request: refused() if "_sort" in request.args else None,
    "knows no _count": lambda request: refused(422) if "_count" in request.args else None,
    "gives 100 at most": lambda request: refused() if int(request.args.get("_count", 0)) > 100 else None,
    "knows no comma list": lambda request: refused() if lists(request) else None,
    "takes a comma list for one code": lambda request: nothing() if lists(request) else None,
    "knows no comma list and no _sort": lambda request: (
        refused(501) if lists(request) or "_sort" in request.args else None
    ),
    "knows only the patient": lambda request: refused() if set(request.args) - {"patient", "_page", "_from"} else None,
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_server_that(what: str, client: FlaskClient) -> None:
    with picky_server([*LOW, *OTHERS], REFUSALS[what]) as server:
        expected = from_prefetch(client, [*LOW, *OTHERS])
        assert found(opened(client, server)) == expected
        assert len(server.asked) <= 14  # twelve queries and two further pages
        first = len(server.asked)
        assert found(opened(client, server)) == expected
        assert len(server.asked) - first <= 6, "what it refuses is remembered"


@pytest.mark.parametrize("what", REFUSALS)
def test_a_healthy_chart_is_quiet_on_a_server_that(what: str, client: FlaskClient) -> None:
    with picky_server(NORMAL, REFUSALS[what]) as server:
        assert found(opened(client, server)) == ([], [])


def test_a_server_that_takes_the_first_code_of_a_list_only(client: FlaskClient) -> None:
    panel = LOW[0] | {"id": "panel", "code": {"coding": [{"system": "http://loinc.org", "code": "58410-2"}]}}
    panel = {name: value for name, value in panel.items() if name != "valueQuantity"}

    def first_only(request: Request) -> Response | None:
        if not lists(request):
            return None
        return bundle_of(panel) if request.args["code"].startswith("http://loinc.org|58410-2") else nothing()

    with picky_server([panel, *LOW], first_only) as server:
        assert found(opened(client, server)) == from_prefetch(client, LOW)


def test_an_empty_chart_is_doubted_only_until_the_server_has_shown_that_it_knows_lists(client: FlaskClient) -> None:
    doubts = {"patient": chart.PATIENT, "_sort": "-date", "_count": "500"}
    with picky_server([]) as empty:
        assert found(opened(client, empty)) == ([], [])
        assert doubts in empty.searches("Observation")
    somebody = [one | {"subject": {"reference": "Patient/somebody"}} for one in LOW]
    with picky_server([chart.patient() | {"id": "somebody"}, *somebody]) as server:
        call = chart.call({}, fhirServer=server.base, context={"userId": "Practitioner/1", "patientId": "somebody"})
        assert found(post(client, call).get_json())[0]
        assert found(opened(client, server)) == ([], [])
        assert doubts not in server.searches("Observation")


PANEL = {
    "resourceType": "Observation",
    "id": "panel",
    "status": "final",
    "code": {"coding": [{"system": "urn:oid:1.2.3", "code": "BLOOD"}]},
    "subject": {"reference": f"Patient/{chart.PATIENT}"},
    "effectiveDateTime": chart.moment(days=1),
    "component": [{name: one[name] for name in ("code", "valueQuantity")} for one in (LOW[0], LOW[2])],
}


def offers(*offered: str) -> Retells:
    """The CapabilityStatement with these of the two search parameters only."""

    def retell(request: Request, document: dict[str, Any]) -> dict[str, Any] | None:
        if not request.path.endswith("/metadata"):
            return None
        for resource in document["rest"][0]["resource"]:
            resource["searchParam"] = [
                one
                for one in resource["searchParam"]
                if one["name"] in offered or one["name"] not in {"component-code", "combo-code"}
            ]
        return document

    return retell


def by_component(server: PickyServer) -> list[str]:
    """The parameters by which components were searched, once for each search."""
    asked = {"component-code", "combo-code"}
    return [name for search in server.searches("Observation") for name in search if name in asked]


@pytest.mark.parametrize(
    ("offered", "asked"),
    [
        (("component-code", "combo-code"), "component-code"),
        (("component-code",), "component-code"),
        (("combo-code",), "combo-code"),
    ],
)
def test_counts_that_are_components_of_a_panel_are_found_where_that_is_offered(
    offered: tuple[str, ...], asked: str, client: FlaskClient
) -> None:
    with picky_server([PANEL, *LOW[1:2]], retells=offers(*offered)) as server:
        expected = from_prefetch(client, [PANEL, *LOW[1:2]])
        assert expected[0]
        assert "platelets 88" in expected[0][0]
        for _ in range(3):
            assert found(opened(client, server)) == expected
        assert by_component(server) == [asked] * 3
        assert server.introductions == 1


def test_where_it_is_not_offered_it_is_not_asked(client: FlaskClient) -> None:
    with picky_server([PANEL, *LOW[1:2]], retells=offers()) as server:
        for _ in range(2):
            assert found(opened(client, server)) == from_prefetch(client, LOW[1:2])
        assert (by_component(server), server.introductions) == ([], 1)


def test_a_server_that_refuses_what_it_offers_is_taken_at_its_refusal(client: FlaskClient) -> None:
    def refuses(request: Request) -> Response | None:
        return refused() if "component-code" in request.args else None

    with picky_server(NORMAL, refuses, offers("component-code")) as server:
        assert found(opened(client, server)) == ([], [])
        asked = len(by_component(server))
        assert asked == 2  # as advertised, and plainly
        assert found(opened(client, server)) == ([], [])
        assert len(by_component(server)) == asked


def test_a_server_that_fails_at_what_it_offers_leaves_the_counts_incomplete(client: FlaskClient) -> None:
    def fails(request: Request) -> Response | None:
        return refused(500) if "component-code" in request.args else None

    with picky_server(LOW, fails) as server:
        assert found(opened(client, server)) == (from_prefetch(client, LOW)[0], ["counts:incomplete"])
    with picky_server(NORMAL, fails) as server:
        assert "Not all of the blood counts" in opened(client, server)["issue"][0]["diagnostics"]


def test_a_first_call_does_not_wait_for_a_statement_that_is_slow_and_the_next_one_knows_it(client: FlaskClient) -> None:
    let_go, told = threading.Event(), threading.Event()

    def slowly(request: Request) -> Response | None:
        if request.path.endswith("/metadata"):
            let_go.wait(10)
        return None

    def tells(request: Request, _: dict[str, Any]) -> None:
        if request.path.endswith("/metadata"):
            told.set()

    with picky_server([PANEL, *LOW[1:2]], slowly, tells) as server:
        assert found(opened(client, server)) == from_prefetch(client, LOW[1:2])
        assert not told.is_set()
        let_go.set()
        assert told.wait(10)
        expected = from_prefetch(client, [PANEL, *LOW[1:2]])
        assert any(found(opened(client, server)) == expected for _ in range(20))  # it is read a moment after it is sent


def _every_search(change: Callable[[dict[str, Any]], object]) -> Retells:
    def retell(_: Request, document: dict[str, Any]) -> dict[str, Any] | None:
        if document.get("type") != "searchset":
            return None
        change(document)
        return document

    return retell


REMARK = {
    "resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]},
    "search": {"mode": "outcome"},
}
INCLUDED = {"resource": {"resourceType": "Organization", "id": "lab"}, "search": {"mode": "include"}}
ODDITIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "omits total": lambda bundle: bundle.pop("total"),
    "says null for total": lambda bundle: bundle.update(total=None),
    "says less than it gives": lambda bundle: bundle.update(total=0),
    "sends entry: []": lambda bundle: bundle.setdefault("entry", []),
    "ignores _sort": lambda bundle: bundle.get("entry", []).reverse(),
    "repeats its matches": lambda bundle: bundle.update(entry=bundle.get("entry", []) * 2),
    "remarks among its matches": lambda bundle: bundle.update(entry=[REMARK, *bundle.get("entry", []), REMARK]),
    "includes what nobody asked for": lambda bundle: bundle.update(entry=[*bundle.get("entry", []), INCLUDED]),
    "leaves out search modes and fullUrls": lambda bundle: bundle.update(
        entry=[{"resource": one["resource"]} for one in bundle.get("entry", [])]
    ),
    "has no links": lambda bundle: bundle.pop("link"),
}


@pytest.mark.parametrize("what", ODDITIES)
def test_nothing_changes_on_a_server_that(what: str, client: FlaskClient) -> None:
    with picky_server([*LOW, *OTHERS], retells=_every_search(ODDITIES[what])) as server:
        assert found(opened(client, server)) == from_prefetch(client, [*LOW, *OTHERS])
    with picky_server([], retells=_every_search(ODDITIES[what])) as server:
        assert found(opened(client, server)) == ([], [])


@pytest.mark.parametrize("media_type", ["application/json+fhir", "application/json", "APPLICATION/FHIR+JSON;a=b"])
def test_every_name_of_fhir_json_is_understood(media_type: str, client: FlaskClient) -> None:
    with picky_server(LOW, media_type=media_type) as server:
        assert found(opened(client, server)) == from_prefetch(client, LOW)
