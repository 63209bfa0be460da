"""One search in several forms: each asks the same question, or more, and what is more is left out again."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.search_forms import (
    AS_ADVERTISED,
    FORMS,
    UNLISTED,
    by_component,
    forms_after,
    listed_codes,
    with_codes,
)
from cds_service.fhir_reading.server import fill_template

QUERY = "Observation?patient=1&code=http://loinc.org%7C777-3,http://loinc.org%7C6690-2&_sort=-date&_count=500"
PLAIN, PLAIN_UNLISTED = FORMS[1], FORMS[3]


def test_what_each_form_leaves_out() -> None:
    assert [form.put(QUERY).removeprefix("Observation?") for form in FORMS] == [
        QUERY.removeprefix("Observation?"),
        "patient=1&code=http://loinc.org%7C777-3,http://loinc.org%7C6690-2",
        "patient=1&_sort=-date&_count=500",
        "patient=1",
    ]


@pytest.mark.parametrize("query", ["Patient/1", "Condition?patient=1", "Observation?patient=1&code=a%7Cb"])
def test_what_has_nothing_to_leave_out_stays_as_it_is(query: str) -> None:
    assert {form.put(query) for form in FORMS} == {query}
    assert list(forms_after(AS_ADVERTISED, query, AS_ADVERTISED)) == []


def test_a_refused_form_is_followed_by_those_that_differ_and_by_what_was_learnt_meanwhile() -> None:
    assert list(forms_after(AS_ADVERTISED, QUERY, AS_ADVERTISED)) == [PLAIN, UNLISTED, PLAIN_UNLISTED]
    assert list(forms_after(PLAIN, QUERY, PLAIN)) == [UNLISTED, PLAIN_UNLISTED]
    assert list(forms_after(AS_ADVERTISED, QUERY, UNLISTED)) == [UNLISTED, PLAIN_UNLISTED]
    assert list(forms_after(AS_ADVERTISED, "Condition?patient=1&_count=500", AS_ADVERTISED)) == [PLAIN]


def test_the_codes_of_components_are_asked_for_in_the_same_way() -> None:
    assert by_component(QUERY, "component-code") == QUERY.replace("&code=", "&component-code=")
    assert by_component("Observation?code=a%7Cb", "combo-code") == "Observation?combo-code=a%7Cb"


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="{}"), min_size=1),
            st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="{}"), min_size=1),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_codes_a_site_has_are_read_back_from_its_query(codes: list[tuple[str, str]]) -> None:
    def escaped(text: str) -> str:
        return quote(re.sub(r"([\\$,|])", r"\\\1", text), safe="/:")

    asked = ",".join(f"{escaped(system)}|{escaped(code)}" for system, code in codes)
    query = fill_template(f"Observation?patient=1&code={asked}&_count=5", {})
    assert listed_codes(query) == tuple(codes)


def test_a_resource_is_kept_for_its_own_code_or_a_component_s() -> None:
    def coded(*codes: str) -> dict[str, object]:
        return {"coding": [{"system": "http://loinc.org", "code": code} for code in codes]}

    kept: list[dict[str, object]] = [
        {"code": coded("777-3")},
        {"code": coded("local", "6690-2")},
        {"code": coded("58410-2"), "component": [{"code": coded("718-7")}, {"code": coded("777-3")}]},
    ]
    left_out: list[dict[str, object]] = [
        {"code": coded("718-7")},
        {"code": {"coding": [{"system": "urn:other", "code": "777-3"}]}},
        {"code": {"text": "777-3"}},
        {},
    ]
    entries = [Entry(resource) for resource in kept + left_out]
    assert [entry.resource for entry in with_codes(entries, listed_codes(QUERY))] == kept
