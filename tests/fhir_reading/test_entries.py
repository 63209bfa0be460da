"""What a prefetch key or a search holds: no matches, matches, a failure or nonsense, never one taken for another."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir_reading.entries import Unpacked, unpack
from tests.builders.fhir_stub import outcome, resource, searchset

A, B = resource("Observation", "a"), resource("Observation", "b")
PATIENT = resource("Patient", "p")


def bundle(kind: str | None, *entries: Any, **members: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": list(entries), **({"type": kind} if kind else {}), **members}


def ids(unpacked: Unpacked) -> list[object]:
    return [entry.resource["id"] for entry in unpacked.entries]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (None, []),
        (searchset(), []),
        (searchset(total=0), []),
        (bundle("searchset"), []),
        (bundle("searchset", total=0), []),
        ({"resourceType": "Bundle", "entry": None}, []),
        ({"resourceType": "Bundle"}, []),
        (searchset(A, B), ["a", "b"]),
        (searchset(A, A), ["a", "a"]),
        (bundle("collection", {"resource": A}), ["a"]),
        (bundle(None, {"resource": A}), ["a"]),
        (bundle("something-new", {"resource": A}), ["a"]),
        (A, ["a"]),
        (bundle("searchset", None, {}, {"resource": None}, {"resource": "x"}, 7, {"resource": A}), ["a"]),
        (bundle("searchset", {"resource": A}, {"resource": PATIENT, "search": {"mode": "include"}}), ["a", "p"]),
        (bundle("searchset", {"resource": {"id": "no type"}}, {"resource": A}), ["a"]),
        (bundle("batch-response", {"resource": searchset(A)}, {"resource": searchset(B)}), ["a", "b"]),
        (bundle("batch-response", {"resource": searchset(), "response": {"status": "200 OK"}}), []),
        (bundle("batch-response", {"resource": A, "response": {"status": "200"}}), ["a"]),
        (searchset(resource("DiagnosticReport", "d")), ["d"]),
    ],
)
def test_a_query_that_was_answered(document: object, expected: list[str]) -> None:
    unpacked = unpack(document, "Observation")
    assert (ids(unpacked), unpacked.failed, unpacked.complete) == (expected, False, True)


@pytest.mark.parametrize(
    ("document", "failure"),
    [
        (outcome("error"), "outcome"),
        (outcome("fatal"), "outcome"),
        (outcome("information"), "outcome"),
        ({"resourceType": "OperationOutcome"}, "outcome"),
        (bundle("searchset", {"resource": outcome("error")}), "outcome"),
        (bundle("searchset", {"resource": outcome("warning", "fatal"), "search": {"mode": "outcome"}}), "outcome"),
        (bundle("searchset", {"resource": {"resourceType": "OperationOutcome", "issue": "x"}}), "outcome"),
        (bundle("searchset", {"resource": {"resourceType": "OperationOutcome", "issue": [7]}}), "outcome"),
        (bundle("batch-response", {"response": {"status": "404 Not Found"}}), "outcome"),
        (bundle("batch-response", {"response": None}), "outcome"),
        (bundle("batch-response", {"resource": bundle("searchset", {"resource": outcome("error")})}), "outcome"),
        (bundle("searchset", None), "unreadable"),
        (bundle("searchset", {}, {"fullUrl": "https://ehr.example.org/fhir/Observation/a"}), "unreadable"),
        (bundle("searchset", {"resource": None}, {"resource": {"id": "no type"}}), "unreadable"),
        ("text", "unreadable"),
        (7, "unreadable"),
        (True, "unreadable"),
        ([A], "unreadable"),
        ({}, "unreadable"),
        ({"resourceType": None}, "unreadable"),
        ({"resourceType": ""}, "unreadable"),
        ({"resourceType": ["Observation"]}, "unreadable"),
        ({"resourceType": "Bundle", "entry": {"resource": A}}, "unreadable"),
        ({"resourceType": "Bundle", "entry": "none"}, "unreadable"),
        (searchset(total=3), "unreadable"),
        (PATIENT, "unreadable"),
        (searchset(PATIENT), "unreadable"),
        (searchset(resource("DiagnosticReport", "d"))["entry"], "unreadable"),
    ],
)
def test_what_is_no_answer_is_never_no_matches(document: object, failure: str) -> None:
    unpacked = unpack(document, "Observation")
    assert (unpacked.entries, unpacked.failure, unpacked.complete) == ((), failure, False)


def test_a_remark_beside_or_without_matches_hides_nothing() -> None:
    remark = {"resource": outcome("warning", "information"), "search": {"mode": "outcome"}}
    assert unpack(bundle("searchset", remark, {"resource": A})) == unpack(bundle("searchset", {"resource": A}))
    assert unpack(bundle("searchset", remark, total=0)) == Unpacked()


def test_an_error_beside_matches_means_that_some_are_missing() -> None:
    for failed in ({"resource": outcome("error")}, {"response": {"status": "500"}}):
        unpacked = unpack(bundle("batch-response", failed, {"resource": A}))
        assert (ids(unpacked), unpacked.failed, unpacked.complete) == (["a"], False, False)


@pytest.mark.parametrize(
    ("links", "next_url"),
    [
        ([{"relation": "self", "url": "s"}, {"relation": "next", "url": "n"}], "n"),
        ([{"relation": "next", "url": ""}], None),
        ([{"relation": "next"}], None),
        ([None, "x", {"url": "n"}], None),
        ("next", None),
        (None, None),
    ],
)
def test_the_next_page(links: object, next_url: str | None) -> None:
    assert unpack(bundle("searchset", {"resource": A}, link=links)).next_url == next_url


def test_a_page_without_matches_may_have_a_next_one() -> None:
    unpacked = unpack(searchset(total=3, next_url="n"))
    assert (unpacked.next_url, unpacked.failed) == ("n", False)


def test_of_two_next_pages_in_a_batch_one_would_be_lost_and_it_says_so() -> None:
    unpacked = unpack(
        bundle("batch-response", {"resource": searchset(A, next_url="n")}, {"resource": searchset(B, next_url="m")})
    )
    assert (unpacked.next_url, unpacked.complete) == ("n", False)


def test_full_urls_are_kept_where_they_are_one() -> None:
    unpacked = unpack(
        bundle("collection", {"fullUrl": "urn:uuid:1", "resource": A}, {"fullUrl": 7, "resource": B}, {"resource": B})
    )
    assert [entry.full_url for entry in unpacked.entries] == ["urn:uuid:1", None, None]


def test_other_resources_may_carry_medications() -> None:
    assert not unpack(searchset(resource("MedicationStatement", "m")), "MedicationRequest").failed


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["Bundle", "OperationOutcome", "Patient", "batch-response"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceType", "type", "entry", "resource", "response", "status", "issue", "link", "total"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@given(JSON)
def test_no_document_whatever_makes_it_stumble(document: object) -> None:
    unpacked = unpack(document, "Observation")
    assert not (unpacked.failed and unpacked.entries)
    assert _all_typed(unpacked.entries)


def _all_typed(entries: Iterable[Any]) -> bool:
    return all(isinstance(entry.resource["resourceType"], str) for entry in entries)
