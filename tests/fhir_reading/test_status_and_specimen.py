"""Criteria 1, "Status" and "Specimen"."""

from typing import Any

import pytest

from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.words import names_word
from tests.builders.fhir import WBC, concept, observation, outcome, read


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("final", "2.9"),
        ("amended", "2.9"),
        ("corrected", "2.9"),
        (" final ", "2.9"),
        ("preliminary", "status-not-final"),
        ("registered", "status-not-final"),
        ("cancelled", "status-not-final"),
        ("entered-in-error", "entered-in-error"),
        ("unknown", "status-unknown unreadable"),
        (None, "status-unknown unreadable"),
        ("", "status-unknown unreadable"),
        ("Final", "status-unknown unreadable"),
        (5, "status-unknown unreadable"),
        (["final"], "status-unknown unreadable"),
    ],
)
def test_status(status: object, expected: str) -> None:
    assert outcome(read(observation(status=status))) == expected


def test_a_site_can_accept_more_statuses_but_never_an_error() -> None:
    accepted = frozenset({"final", "unknown", "preliminary", "entered-in-error"})
    sent = [
        observation(id=status, status=status) for status in ("unknown", "preliminary", "entered-in-error", "amended")
    ]
    picture = read(*sent, accepted=accepted)
    assert outcome(picture) == "2.9, 2.9, entered-in-error, status-unknown unreadable"
    assert [result.status for result in picture.counts] == ["unknown", "preliminary"]


def text(words: str) -> dict[str, str]:
    return {"text": words}


@pytest.mark.parametrize(
    "elements",
    [
        {"specimen": {"display": "CSF"}},
        {"specimen": {"display": "Spot URINE, midstream"}},
        {"specimen": {"display": "bone-marrow aspirate"}},
        {"specimen": {"display": "Bone\u00a0 Marrow"}},
        {"specimen": {"display": "Body fluid"}},
        {"specimen": {"display": "Cord blood"}},
        {"specimen": {"display": "donor_unit"}},
        {"specimen": [{"display": "Urin"}]},
        {"bodySite": text("Peritoneal cavity")},
        {"bodySite": {"coding": [{"display": "Pleural fluid"}]}},
        {"bodySite": text("umbilical cord")},
        {"method": text("Microscopy of sputum")},
        {"category": [{"coding": [{"code": "laboratory"}]}, text("CSF examination")]},
        {"category": text("Urinalysis; urine")},
        {"code": concept(WBC, text="WBC (CSF)")},
        {
            "code": {
                "coding": [{"system": "http://loinc.org", "code": WBC, "display": "Leukocytes in Pleural effusion"}]
            }
        },
        {"code": concept(WBC, text="Leukozyten im Knochenmark")},
        {"code": concept(WBC, text="Leucocytes, liquide céphalo-rachidien")},
    ],
)
def test_a_result_that_says_it_is_not_of_blood_is_not_used(elements: dict[str, Any]) -> None:
    assert outcome(read(observation() | elements)) == "not-blood"


@pytest.mark.parametrize(
    "elements",
    [
        {"specimen": {"display": "Venous blood"}},
        {"specimen": {"display": "Liquorice"}},
        {"bodySite": text("Left arm")},
        {"method": text("fluid phase, control run")},
        {"category": text("control")},
        {"code": concept(WBC, text="White cells, donor screening")},
        {"note": [text("CSF and urine sent separately")]},
        {"text": {"status": "generated", "div": "<div>urine</div>"}},
        {"interpretation": [text("see urine")]},
        {"specimen": "urine"},
        {"specimen": {"reference": "Specimen/unknown"}},
        {"method": 5, "bodySite": [None], "category": "urine"},
    ],
)
def test_other_words_in_other_places_say_nothing(elements: dict[str, Any]) -> None:
    assert outcome(read(observation() | elements)) == "2.9"


def specimen(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Specimen", "id": "s1", **elements}


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"type": text("Urine specimen")}, "not-blood"),
        ({"type": {"coding": [{"code": "CSF", "display": "Cerebrospinal fluid sample"}]}}, "not-blood"),
        ({"type": text("Cord blood")}, "not-blood"),
        ({"collection": {"bodySite": text("Pleural cavity")}}, "not-blood"),
        ({"type": text("Blood")}, "2.9"),
        ({"note": [text("urine")]}, "2.9"),
    ],
)
def test_the_specimen_is_looked_up_where_it_is_contained_or_sent(elements: dict[str, Any], expected: str) -> None:
    contained = observation(contained=[specimen(**elements)], specimen={"reference": "#s1"})
    assert outcome(read(contained)) == expected
    beside = observation(specimen={"reference": "Specimen/s1/_history/1"})
    assert outcome(read(specimen(**elements), beside)) == expected
    named = observation(specimen={"reference": "urn:uuid:1"})
    assert outcome(read(Entry(specimen(**elements) | {"id": None}, "urn:uuid:1"), named)) == expected


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"reference": "Specimen/7/_history/2"}, "Specimen/7"),
        ({"reference": "#s1"}, "Observation/o1#s1"),
        ({"identifier": {"system": "urn:lab", "value": "26-1"}}, "urn:lab|26-1"),
        ({"identifier": {"value": "26-1"}}, "|26-1"),
        ({"display": "Blood"}, None),
        (None, None),
    ],
)
def test_which_specimen_it_is(sent: object, expected: str | None) -> None:
    (result,) = read(observation(specimen=sent)).counts
    assert result.specimen == expected


def test_words_of_scripts_without_blanks_are_found_inside() -> None:
    assert names_word("脑脊液白细胞", frozenset({"脑脊液", "urine"}))
    assert not names_word("外周血白细胞", frozenset({"脑脊液"}))
    assert names_word("u\u200brine", frozenset({"urine"}))
    assert not names_word("anything", frozenset())
