"""When the FHIR server fails or lies: every row of docs/fetching.md, played against the whole service over HTTP.

All calls are made once, side by side, so that those that end with the time budget don't add up.
"""

import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from cds_service.app import create_app
from cds_service.outbound.plain import JsonAnswer, post_json
from cds_service.settings import Settings
from tests.builders import chart
from tests.builders.cds_contract import assert_operation_outcome, assert_response_conforms
from tests.builders.conversation import SERVICE
from tests.builders.faults import FAULTS, SECRET, Spoilt
from tests.builders.raw_server import Behaviour, RawServer, answer, raw_server

PAGE = (Path(__file__).parents[2] / "docs" / "fetching.md").read_text(encoding="utf-8")
ROWS = PAGE.partition("| A server that ... for the counts | the answer |\n|---|---|\n")[2]
EXPECTED = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", ROWS, re.MULTILINE))
LOW = chart.resources([{"wbc": 2.9, "days": 1}, {"wbc": 3.1, "days": 21}, {"plt": 88, "days": 1}])
NORMAL = chart.resources([{"wbc": 6.0, "days": 1}, {"plt": 210, "days": 1}])
CONDITIONS = chart.resources([{"condition": "icd10cm K74.60", "days": 400}])
SECONDS = 4.0
"""The time budget of a call: enough for its good searches on a busy machine; what hangs takes all of it."""


@dataclass(frozen=True)
class Scene:
    """One fault in one place of one chart; `search` is the beginning of the target that is answered so."""

    fault: str
    counts: tuple[dict[str, Any], ...]
    search: str

    def behave(self, target: str, base: str, elsewhere: str) -> Behaviour:
        """The answer to one target."""
        good = {
            "/fhir/Patient/": chart.patient(),
            "/fhir/Observation?": chart.searchset(self.counts),
            "/fhir/Condition?": chart.searchset(CONDITIONS),
            "/fhir/MedicationRequest?": chart.searchset([]),
        }
        matches = CONDITIONS if self.search == OPTIONAL else list(self.counts)
        if target.startswith("/fhir/Observation?") and "26446-5" in target:  # the companions' search
            return answer(body=json.dumps(chart.searchset([])).encode())
        if target.startswith((self.search, "/fhir/Observation?code=for-ever")):
            return FAULTS[self.fault](Spoilt(matches, base, elsewhere))
        document = next((document for start, document in good.items() if target.startswith(start)), None)
        return answer(body=json.dumps(document).encode()) if document else answer("404 Not Found")


COUNTS, OPTIONAL = "/fhir/Observation?", "/fhir/Condition?"
SCENES = {
    (role, fault): Scene(fault, tuple(counts), search)
    for role, counts, search in (("low", LOW, COUNTS), ("normal", NORMAL, COUNTS), ("optional", LOW, OPTIONAL))
    for fault in FAULTS
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = Settings(
        auth="off", fhir_servers=("http://127.0.0.1:*/fhir",), time_budget_ms=int(SECONDS * 1000),
        database_url=f"sqlite:///{tmp_path_factory.mktemp('faults')}/feedback.sqlite3",
    )  # fmt: skip
    server = make_server("127.0.0.1", 0, create_app(settings, clock=lambda: chart.AS_OF), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}{SERVICE}"
    server.shutdown()
    thread.join(5)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[RawServer]:
    """Another server that may be called, and is never to be in these scenes."""
    with raw_server(answer(body=json.dumps(chart.searchset(LOW)).encode())) as other:
        yield other


@pytest.fixture(scope="module")
def answers(service: str, elsewhere: RawServer) -> dict[tuple[str, str], JsonAnswer]:
    def play(scene: Scene) -> JsonAnswer:
        def choose(target: str) -> Behaviour:
            return scene.behave(target, server.base, elsewhere.base)

        with raw_server(choose=choose) as server:
            token = {"access_token": "token-of-this-call", "token_type": "Bearer"}
            call = chart.call({}, fhirServer=server.base, fhirAuthorization=token)
            return post_json(service, call, timeout=60)

    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(max_workers=12))
        return dict(zip(SCENES, pool.map(play, SCENES.values()), strict=True))


def test_the_page_and_the_faults_are_the_same() -> None:
    assert list(EXPECTED) == list(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("role", ["low", "normal", "optional"])
def test_nothing_of_the_server_and_no_failure_of_ours(role: str, fault: str, answers: Any) -> None:
    told = answers[role, fault]
    assert told.status in {200, 412}
    text = json.dumps(told.document)
    assert SECRET.decode() not in text
    assert "somebody-else" not in text
    assert "token-of-this-call" not in text
    if told.status == 412:
        assert_operation_outcome(told.document)
    else:
        assert_response_conforms(told.document, chart.PATIENT)


@pytest.mark.parametrize("fault", FAULTS)
def test_low_counts_from_a_server_that(fault: str, answers: Any) -> None:
    told = answers["low", fault]
    if EXPECTED[fault] == "card, incomplete":
        assert told.status == 200
        (card,) = told.document["cards"]
        assert card["summary"].startswith("WBC 2.9")
        assert "could not be read to the end" in card["detail"]
        assert "counts:incomplete" in not_available(told)
    else:
        refused_for(told, EXPECTED[fault])


@pytest.mark.parametrize("fault", FAULTS)
def test_normal_counts_are_no_all_clear_from_a_server_that(fault: str, answers: Any) -> None:
    expected = EXPECTED[fault]
    refused_for(answers["normal", fault], expected if ":" in expected else "412: Not all of the blood counts")


@pytest.mark.parametrize("fault", FAULTS)
def test_the_card_comes_without_optional_data_and_says_so_from_a_server_that(fault: str, answers: Any) -> None:
    told = answers["optional", fault]
    assert told.status == 200
    (card,) = told.document["cards"]
    assert card["summary"].startswith("WBC 2.9")
    assert "Not available: conditions" in card["detail"]
    assert not_available(told) == ["conditions"]


def test_nobody_else_was_called(answers: Any, elsewhere: RawServer) -> None:
    assert len(answers) == 3 * len(FAULTS)
    assert elsewhere.connections == 0


def refused_for(told: JsonAnswer, expected: str) -> None:
    status, _, words = expected.partition(": ")
    assert (told.status, status) == (412, "412")
    diagnostics = told.document["issue"][0]["diagnostics"]  # type: ignore[index]
    assert words in diagnostics
    assert "counts" in diagnostics


def not_available(told: JsonAnswer) -> list[str]:
    return told.document["extension"]["org.cytopenia-cds.assessment"].get("notAvailable", [])  # type: ignore[index, no-any-return]
