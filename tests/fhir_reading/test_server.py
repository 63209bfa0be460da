"""Reads and searches against a FHIR server over real HTTP: what is asked, and what is made of each answer."""

import json
import threading
import time
from decimal import Decimal
from urllib.parse import parse_qs

import pytest

from cds_service.fhir_reading.entries import unpack
from cds_service.fhir_reading.server import MAX_PAGES, MAX_QUERIES, Fetched, FhirServer, fill_template
from cds_service.outbound.allowed_servers import AllowedServers
from cds_service.outbound.client import HttpClient
from cds_service.outbound.deadline import Deadline
from cds_service.services.fhir_access import ListedServers
from tests.builders.fhir_stub import FhirStub, Reply, fhir_stub, outcome, resource, searchset

A, B, C = (resource("Observation", name) for name in "abc")
QUERY = "Observation?patient=1"


def server(stub: FhirStub, seconds: float = 2.0) -> FhirServer:
    access = ListedServers(HttpClient(), AllowedServers.parse(["http://127.0.0.1:*/fhir"]))
    opened = access.open(stub.base, None, Deadline.after(seconds))
    assert opened is not None
    return opened.server


def ids(fetched: Fetched) -> list[object]:
    return [entry.resource["id"] for entry in fetched.entries]


def test_a_template_becomes_a_query_with_its_codes_percent_encoded() -> None:
    template = "Observation?patient={{context.patientId}}&code=http://loinc.org|777-3,http://loinc.org|6690-2&_sort=-date&_count=100"
    assert fill_template(template, {"context.patientId": "p-1.x"}) == (
        "Observation?patient=p-1.x&code=http:%2F%2Floinc.org%7C777-3,http:%2F%2Floinc.org%7C6690-2&_sort=-date&_count=100"
    )
    assert fill_template("Patient/{{ context.patientId }}", {"context.patientId": "1"}) == "Patient/1"
    assert fill_template("Condition?patient=1&code=a%7Cb%20c", {}) == "Condition?patient=1&code=a%7Cb%20c"


@pytest.mark.parametrize(
    "patient", ["", "../x", "a/b", "a?b", "a&code=x", "a%2Fb", "a b", "ä", "x" * 65, "Patient/1", "a\n"]
)
def test_an_id_that_could_change_the_query_never_enters_it(patient: str) -> None:
    for template in ("Patient/{{context.patientId}}", "Observation?patient={{context.patientId}}"):
        with pytest.raises(ValueError, match=r"context\.patientId"):
            fill_template(template, {"context.patientId": patient})


@pytest.mark.parametrize(
    "template",
    ["Patient", "Observation?", "/Observation?a=b", "Patient/1/_history", "https://h/Patient/1", "patient/1"],
)
def test_only_a_read_or_a_search_is_a_query(template: str) -> None:
    with pytest.raises(ValueError, match="read or"):
        fill_template(template, {})


@pytest.mark.parametrize(
    "media_type",
    [
        "application/fhir+json",
        "application/json",
        "application/json+fhir; charset=utf-8",
        "Application/FHIR+JSON;fhirVersion=4.0",
    ],
)
def test_every_spelling_of_fhir_json_is_read_and_numbers_stay_exact(media_type: str) -> None:
    body = b'{"resourceType": "Observation", "id": "a", "v": 3.9999999999999999999}'
    with fhir_stub({QUERY: Reply(body, media_type=media_type)}) as stub:
        fetched = server(stub).fetch(QUERY)
        assert stub.asked[0].headers["Accept"] == "application/fhir+json"
    assert fetched.entries[0].resource["v"] == Decimal("3.9999999999999999999")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(outcome("error")), "outcome"),
        (Reply(searchset(outcome("fatal"))), "outcome"),
        (Reply(outcome("error"), 400), "status-400"),
        (Reply(searchset(A), 401), "status-401"),
        (Reply(searchset(A), 403), "status-403"),
        (Reply(searchset(A), 404), "status-404"),
        (Reply(searchset(A), 410), "status-410"),
        (Reply(searchset(A), 429), "status-429"),
        (Reply(searchset(A), 500), "status-500"),
        (Reply(searchset(A), 302, headers={"Location": "https://elsewhere.example.org/"}), "status-302"),
        (Reply(searchset(A), 202), "status-202"),
        (Reply(b"<html>login</html>", media_type="text/html"), "not-fhir-json"),
        (Reply(searchset(A), media_type="text/html"), "not-fhir-json"),
        (Reply(b"<Bundle/>", media_type="application/fhir+xml"), "not-fhir-json"),
        (Reply(b'{"resourceType": "Bundle", "entry": [{"res'), "not-fhir-json"),
        (Reply(b'{"resourceType": "Bundle", "total": NaN}'), "not-fhir-json"),
        (Reply(b"[" * 100_000), "not-fhir-json"),
        (Reply(b""), "not-fhir-json"),
        (Reply(b"null"), "not-fhir-json"),
        (Reply(b"\xff\xfe"), "not-fhir-json"),
        (Reply(resource("Patient", "1")), "unreadable"),
        (Reply(searchset(total=12)), "unreadable"),
        (Reply([A]), "not-fhir-json"),
        (Reply(searchset(A), headers={"Content-Encoding": "gzip"}), "encoded"),
    ],
)
def test_what_is_no_answer_is_a_failure_with_its_reason(reply: Reply, reason: str) -> None:
    with fhir_stub({QUERY: reply}) as stub:
        assert server(stub).fetch(QUERY) == Fetched(complete=False, failed=True, reason=reason)


def test_a_byte_order_mark_costs_nothing() -> None:
    with fhir_stub({QUERY: Reply(b"\xef\xbb\xbf" + json.dumps(searchset(A)).encode())}) as stub:
        assert ids(server(stub).fetch(QUERY)) == ["a"]


def test_no_matches_is_an_answer() -> None:
    for empty in (searchset(), searchset(total=0), {"resourceType": "Bundle", "type": "searchset", "entry": []}):
        with fhir_stub({QUERY: empty}) as stub:
            assert server(stub).fetch(QUERY) == Fetched()


def test_a_read_gives_the_resource_and_never_an_empty_answer() -> None:
    with fhir_stub({"Patient/1": resource("Patient", "1"), "Patient/2": searchset()}) as stub:
        assert ids(server(stub).fetch("Patient/1")) == ["1"]
        assert server(stub).fetch("Patient/2").failed
        assert server(stub).fetch("Patient/3").reason == "status-404"


def test_pages_are_followed_to_the_end_absolute_and_relative() -> None:
    with fhir_stub() as stub:
        stub.replies = {
            QUERY: Reply(searchset(A, next_url=f"{stub.base}?_getpages=2&x=a|b")),
            "?_getpages=2": Reply(searchset(B, next_url="Observation?page=3")),
            "Observation?page=3": Reply(searchset(C)),
        }
        fetched = server(stub).fetch(QUERY)
        assert (ids(fetched), fetched.complete, len(stub.asked)) == (["a", "b", "c"], True, 3)
        assert ids(server(stub).follow(unpack(searchset(A, next_url="Observation?page=3")))) == ["a", "c"]


PAGES: dict[str, tuple[list[dict[str, object]], dict[str, object], list[object], bool]] = {
    "repeat nothing and tell no total": ([A, B], {}, ["a", "b"], True),
    "hold what total says": ([A, B], {"total": 2}, ["a", "b"], True),
    "repeat one and lose one": ([A, A], {"total": 2}, ["a", "a"], False),
    "repeat one and tell no total": ([A, A], {}, ["a", "a"], True),
    "repeat one beside all others": ([A, B, A], {"total": 2}, ["a", "b", "a"], True),
    "hold less than total says": ([A, B], {"total": 3}, ["a", "b"], False),
    "hold more than total says": ([A, B, C], {"total": 2}, ["a", "b", "c"], True),
    "count what is included as a match": (
        [A, {"included": True, **B}], {"total": 2}, ["a", "b"], False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", PAGES)
def test_pages_that(what: str) -> None:
    resources, members, expected, complete = PAGES[what]
    with fhir_stub() as stub:
        for number, one in enumerate(resources):
            last = number == len(resources) - 1
            page = searchset(one, next_url=None if last else f"{stub.base}/page{number + 1}", **members)
            if one.get("included"):
                page["entry"][0]["search"] = {"mode": "include"}
            stub.replies[f"page{number}" if number else QUERY] = Reply(page)
        fetched = server(stub).fetch(QUERY)
    assert (ids(fetched), fetched.complete, fetched.failed) == (expected, complete, False)


def test_a_first_page_had_already_counts_for_the_total() -> None:
    with fhir_stub({"page2": searchset(B, total=2)}) as stub:
        for first, complete in ((A, True), (B, False)):
            fetched = server(stub).follow(unpack(searchset(first, next_url="page2", total=2)), "Observation")
            assert fetched.complete is complete


@pytest.mark.parametrize(
    "second",
    [
        Reply(searchset(B), 500),
        Reply(outcome("error")),
        Reply(searchset(outcome("error"))),
        Reply(b"{"),
        Reply(b"", media_type="text/html"),
    ],
)
def test_a_page_that_fails_leaves_the_rest_and_says_so(second: Reply) -> None:
    with fhir_stub() as stub:
        stub.replies = {QUERY: Reply(searchset(A, next_url=f"{stub.base}/page2")), "page2": second}
        fetched = server(stub).fetch(QUERY)
    assert (ids(fetched), fetched.complete, fetched.failed) == (["a"], False, False)


def test_a_next_link_that_leads_elsewhere_is_not_followed() -> None:
    with fhir_stub({"": searchset(B)}) as other, fhir_stub() as stub:
        root = stub.base.removesuffix("/fhir")
        for url in (
            f"{other.base}/Observation?page=2",
            "//127.0.0.1/fhir/x",
            "../admin",
            f"{root}/fhirx/y",
            "http://[",
            "ftp://x/y",
        ):
            stub.replies = {QUERY: Reply(searchset(A, next_url=url))}
            fetched = server(stub).fetch(QUERY)
            assert (ids(fetched), fetched.complete) == (["a"], False), url
        assert other.asked == []
        assert set(stub.targets) == {QUERY}


def test_pages_that_never_end_do_end() -> None:
    with fhir_stub() as stub:
        stub.replies = {QUERY: Reply(searchset(A, next_url=f"{stub.base}/{QUERY}"))}
        circle = server(stub).fetch(QUERY)
        assert (ids(circle), circle.complete, len(stub.asked)) == (["a"], False, 1)
    with fhir_stub() as stub:
        stub.replies[QUERY] = Reply(searchset(A, next_url=f"{stub.base}/page0."))
        for number in range(MAX_PAGES + 5):
            stub.replies[f"page{number}."] = Reply(searchset(A, next_url=f"{stub.base}/page{number + 1}."))
        endless = server(stub).fetch(QUERY)
        assert (len(endless.entries), endless.complete, len(stub.asked)) == (MAX_PAGES, False, MAX_PAGES)


def test_one_call_of_the_service_makes_a_bounded_number_of_queries() -> None:
    with fhir_stub({QUERY: searchset(A)}) as stub:
        opened = server(stub)
        reasons = [opened.fetch(QUERY).reason for _ in range(MAX_QUERIES + 3)]
        assert reasons == [""] * MAX_QUERIES + ["too-many-queries"] * 3
        assert len(stub.asked) == MAX_QUERIES


def test_a_search_too_long_for_a_url_is_posted_as_a_form() -> None:
    codes = ",".join(f"http://loinc.org%7C{number}-1" for number in range(1000, 1200))
    with fhir_stub({"Observation/_search": searchset(A)}) as stub:
        assert ids(server(stub).fetch(f"Observation?patient=1&code={codes}")) == ["a"]
        asked = stub.asked[0]
    assert (asked.method, asked.target) == ("POST", "/fhir/Observation/_search")
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.body)["code"][0].split(",")[0] == "http://loinc.org|1000-1"


def test_the_base_may_end_with_a_slash() -> None:
    with fhir_stub({"Patient/1": resource("Patient", "1")}) as stub:
        stub.base += "/"
        assert ids(server(stub).fetch("Patient/1")) == ["1"]
        assert stub.asked[0].target == "/fhir/Patient/1"


def test_the_deadline_holds_for_all_pages_together() -> None:
    with fhir_stub() as stub:
        for number in range(MAX_PAGES):
            reply = searchset(A, next_url=f"{stub.base}/page{number + 1}.")
            target = f"page{number}." if number else QUERY
            stub.replies[target] = Reply(reply, wait=lambda: threading.Event().wait(0.4))
        started = time.monotonic()
        fetched = server(stub, seconds=1.0).fetch(QUERY)
        assert time.monotonic() - started < 4  # 8 otherwise
    assert 1 <= len(fetched.entries) <= 3
    assert not fetched.complete
