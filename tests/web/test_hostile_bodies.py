"""Bodies that are no strict JSON or no honest HTTP, in every way we know: refused by the real server, never failed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.cds_contract import assert_operation_outcome
from tests.builders.conversation import FEEDBACK, SERVICE
from tests.builders.hostile_bodies import (
    CALL,
    LIMIT,
    MARK,
    NOTHING_OF_OURS,
    REPORT,
    Raw,
    broken_framing,
    no_strict_json,
    not_plain,
    of_wrong_types,
    too_long,
    valid,
)
from tests.builders.raw_http import RawAnswer, exchange
from tests.builders.serving import Served, serving

pytestmark = pytest.mark.server
BODIES = {SERVICE: CALL, FEEDBACK: REPORT}
FRAMING = {400, 408, 413, 415, 501}
CLASSES = [*no_strict_json({}), *broken_framing({})]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("bodies")
    settings = {"CDS_AUTH": "off", "CDS_MAX_BODY_BYTES": str(LIMIT), "CDS_PSEUDONYM_KEY": "synthetic-key-of-16"}
    with serving(folder, "--workers", "1", **settings) as service:
        yield service
        for kind, path in (("call", SERVICE), ("report", FEEDBACK)):
            answer = exchange(service.url, valid()[kind](path))
            assert answer.status == 200, "it still answers what is right"
        assert MARK not in service.log.read_text(encoding="utf-8")
        assert {line["event"] for line in service.lines} <= {"call", "no-http-request"}, "nothing was unexpected"


def _refusal(answer: RawAnswer, statuses: set[int]) -> None:
    assert answer.status in statuses, (answer.status, answer.body)
    assert answer.answers == 1, "nothing of a body was taken for another request"
    assert_operation_outcome(json.loads(answer.body))
    assert MARK.encode() not in answer.body
    assert not NOTHING_OF_OURS.search(answer.body), answer.body
    head = answer.head.lower()
    assert "content-type: application/fhir+json" in head
    assert "server:" not in head
    for header in (
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src",
    ):
        assert header in head


def _all_refused(url: str, path: str, cases: list[Raw], statuses: set[int]) -> None:
    assert cases
    for number, case in enumerate(cases):
        request = case(path)
        try:
            _refusal(exchange(url, request), statuses)
        except AssertionError as error:
            raise AssertionError(f"case {number} of {len(cases)}: {request[:200]!r} ... {request[-100:]!r}") from error


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("kind", [kind for kind in CLASSES if kind in no_strict_json({})])
def test_what_is_no_strict_json_is_400(served: Served, path: str, kind: str) -> None:
    _all_refused(served.url, path, no_strict_json(BODIES[path])[kind], {400})


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("kind", broken_framing({}))
def test_what_is_no_honest_http_is_refused(served: Served, path: str, kind: str) -> None:
    _all_refused(served.url, path, broken_framing(BODIES[path])[kind], FRAMING)


@pytest.mark.parametrize("path", BODIES)
def test_what_is_too_long_is_413_however_it_is_sent(served: Served, path: str) -> None:
    _all_refused(served.url, path, too_long(), {413})


@pytest.mark.parametrize("path", BODIES)
def test_what_is_compressed_or_no_json_by_its_own_word_is_415(served: Served, path: str) -> None:
    _all_refused(served.url, path, not_plain(BODIES[path]), {415})


@pytest.mark.parametrize("kind", ["call", "report"])
def test_no_type_is_taken_for_another(served: Served, kind: str) -> None:
    path = {"call": SERVICE, "report": FEEDBACK}[kind]
    _all_refused(served.url, path, [case for of, case in of_wrong_types() if of == kind], {400})
