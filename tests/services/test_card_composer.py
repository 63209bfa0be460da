"""The answer as a whole: who gets a card, which ids it has, what machines read, which orders it drafts."""

import json
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cds_service.cds_hooks.cards import CdsResponse
from cds_service.cds_hooks.errors import DataNotAvailable
from cds_service.cds_hooks.response_json import encode_response
from cds_service.services.assessment_extension import NAME
from cds_service.services.card_composer import CardComposer
from tests.builders.charts_for_cards import CALLER, SITE, Chart, chart, knowledge, on
from tests.cards.situations import BOTH_LOW, LEUKOPENIA, SITUATIONS

NORMAL = chart().wbc("6.0", 2).platelets("220", 2)


def body(response: CdsResponse) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(encode_response(response))
    return decoded


def told(made: Chart) -> dict[str, Any]:
    """What machines read of a chart."""
    assessment: dict[str, Any] = body(made.response())["extension"][NAME]
    return assessment


def test_nothing_to_say_is_no_card_and_three_findings() -> None:
    response = NORMAL.response()
    assert response.cards == ()
    assert {one["finding"]: one["verdict"] for one in told(NORMAL)["findings"]} == {
        "leukopenia": "absent",
        "thrombocytopenia": "absent",
        "bicytopenia": "absent",
    }
    assert "fingerprint" not in told(NORMAL)


def test_no_card_of_counts_not_read_to_the_end_is_refused() -> None:
    with pytest.raises(DataNotAvailable) as refused:
        NORMAL.lacking(counts_incomplete=True).response()
    assert refused.value.missing == ("counts",)


def test_a_card_of_counts_not_read_to_the_end_says_so() -> None:
    assert "could not be read to the end" in LEUKOPENIA.lacking(counts_incomplete=True).card.detail
    assert told(LEUKOPENIA.lacking(counts_incomplete=True))["notAvailable"] == ["counts:incomplete"]


@pytest.mark.parametrize("user", ["Patient", "RelatedPerson"])
def test_patients_and_relatives_get_no_card(user: str) -> None:
    response = LEUKOPENIA.response(replace(CALLER, user_type=user))
    assert response.cards == ()
    assessment = body(response)["extension"][NAME]
    assert assessment["withheld"] == "audience"
    assert assessment["findings"][0]["verdict"] == "present"


def test_a_site_may_show_cards_to_patients() -> None:
    site = replace(SITE, withheld_audience=frozenset())
    assert len(LEUKOPENIA.response(replace(CALLER, user_type="Patient"), site).cards) == 1


@pytest.mark.parametrize("user", ["Practitioner", "PractitionerRole", ""])
def test_clinicians_and_unnamed_users_get_it(user: str) -> None:
    assert len(LEUKOPENIA.response(replace(CALLER, user_type=user)).cards) == 1


def test_nobody_is_told_about_the_deceased() -> None:
    chart_of_deceased = LEUKOPENIA.patient(deceased=True)
    assert chart_of_deceased.response().cards == ()
    assert told(chart_of_deceased)["withheld"] == "deceased"
    assert told(chart_of_deceased)["findings"][0]["verdict"] == "present"


def test_a_site_can_switch_the_extension_off() -> None:
    assert "extension" not in body(LEUKOPENIA.response(site=replace(SITE, extension=False)))


def test_the_extension_holds_what_a_person_reads() -> None:
    made = BOTH_LOW.condition("K74.60", 600, "Compensated cirrhosis").aside("platelets", "unit-missing", 12, "88")
    assessment = told(made.lacking(not_available=("medications",), unmapped_conditions=2))
    assert assessment["assessedAt"] == "2026-01-15T12:00:00Z"
    assert assessment["knowledgeVersion"] == "2026.1+test"
    assert assessment["softwareVersion"] == "0.1.0"
    leukopenia, _, bicytopenia = assessment["findings"]
    assert leukopenia["statement"] == "leukopenia-definition"
    assert leukopenia["results"][0] == {
        "reference": "Observation/leu-2",
        "effective": "2026-01-12T07:15:00-05:00",
        "reported": "2.9 10*3/uL",
        "value": 2.9,
        "unit": "10*9/L",
    }
    assert {one["reference"] for one in bicytopenia["results"]} == {"Observation/leu-2", "Observation/pla-3"}
    assert assessment["causeGroups"] == [
        {
            "group": "splenic",
            "support": "recorded",
            "evidence": [
                {
                    "reference": "Condition/K74.60",
                    "system": "http://hl7.org/fhir/sid/icd-10-cm",
                    "code": "K74.60",
                    "display": assessment["causeGroups"][0]["evidence"][0]["display"],
                }
            ],
        }
    ]
    assert assessment["notUsed"] == [{"reference": "Observation/aside-1", "reason": "unit-missing"}]
    assert assessment["notAvailable"] == ["medications", "conditions:unmapped"]
    assert "context" not in assessment


def test_values_are_json_numbers_without_float_noise() -> None:
    encoded = encode_response(chart().wbc("3.9999999999999996", 1).wbc("2900.0", 20, "/uL", factor="0.001").response())
    assert b'"value":3.9999999999999996' in encoded
    assert b'"value":2.9,' in encoded


def test_the_results_of_a_run_are_told_up_to_a_hundred_newest_first() -> None:
    made = chart()
    for day in range(1, 104):
        made = made.wbc("2.9", day)
    leukopenia = told(made)["findings"][0]
    assert (len(leukopenia["results"]), leukopenia["resultsMore"]) == (100, 3)
    assert "resultsMore" not in told(LEUKOPENIA)["findings"][0]


def test_what_is_not_used_is_told_up_to_fifty_times() -> None:
    made = LEUKOPENIA
    for _ in range(53):
        made = made.aside("leukocytes", "not-blood", 9)
    assert len(told(made)["notUsed"]) == 50
    assert told(made)["notUsedMore"] == 3
    assert "notUsedMore" not in told(LEUKOPENIA.aside("leukocytes", "not-blood", 9))


def test_context_is_told_apart_from_causes() -> None:
    assessment = told(LEUKOPENIA.condition("D72.819", 300, "Leukopenia"))
    assert [one["group"] for one in assessment["context"]] == ["known-finding"]
    assert "support" not in assessment["context"][0]
    assert "causeGroups" not in assessment


def test_a_retry_gets_the_same_ids_and_another_instance_others() -> None:
    first, again = BOTH_LOW.card, BOTH_LOW.card
    (other,) = BOTH_LOW.response(replace(CALLER, hook_instance="another")).cards
    assert first == again
    ids = {card.uuid for card in (first, other)} | {one.uuid for card in (first, other) for one in card.suggestions}
    assert len(ids) == 10


def fingerprint(made: Chart, **changes: Any) -> str:
    """The fingerprint of what is said of a chart, the knowledge changed where asked."""
    response = CardComposer(replace(knowledge(), **changes), SITE).compose(made.assessment, CALLER)
    return str(body(response)["extension"][NAME]["fingerprint"])


def test_a_fingerprint_stands_for_what_is_said_and_for_what_it_rests_on() -> None:
    said = fingerprint(BOTH_LOW)
    assert said == fingerprint(BOTH_LOW.condition("K74.60", 600)), "evidence isn't part of it"
    assert said == fingerprint(BOTH_LOW.patient(born=on(20000)))
    assert said != fingerprint(chart().wbc("3.1", 23).wbc("2.8", 3).platelets("88", 3))
    assert said != fingerprint(chart().wbc("3.1", 23).wbc("2.9", 2).platelets("88", 3))
    assert said != fingerprint(BOTH_LOW.condition("C92.00", 200)), "less insistent is something else"
    assert said != fingerprint(BOTH_LOW, version="2026.2")
    keyed = BOTH_LOW.response(site=replace(SITE, fingerprint_key=b"another key of thirty-two bytes."))
    assert said != body(keyed)["extension"][NAME]["fingerprint"]


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_draft_order_is_valid_fhir(name: str) -> None:
    for suggestion in SITUATIONS[name].card.suggestions:
        for action in suggestion.actions:
            order = ServiceRequest.model_validate_json(json.dumps(action.resource))
            assert (order.status, order.intent) == ("draft", "proposal")
            assert order.subject.reference == "Patient/synthetic-1"
            assert order.reasonReference, "the results that ask for it"


def test_low_counts_of_both_suggest_the_work_up_and_a_single_one_the_repeat() -> None:
    labels = [one.label for one in BOTH_LOW.card.suggestions]
    assert [label.split()[0] for label in labels] == ["Repeat", "Liver", "Abdominal", "Hematology"]
    assert [one.is_recommended for one in BOTH_LOW.card.suggestions] == [True, False, False, False]
    (repeat,) = chart().wbc("3.4", 2).card.suggestions
    assert [action.resource["code"]["coding"][0]["code"] for action in repeat.actions] == ["57021-8", "14768001"]  # type: ignore[index]


@pytest.mark.parametrize("name", ["mild-fall", "downgraded-therapy", "downgraded-marrow"])
def test_low_counts_of_both_that_fell_mildly_or_are_explained_suggest_the_repeat_alone(name: str) -> None:
    """A choice: the criteria ask for few suggestions; the work-up waits for the repeat."""
    assert [one.label.split()[0] for one in SITUATIONS[name].card.suggestions] == ["Repeat"]
    assert "liver panel" not in SITUATIONS[name].card.detail


@pytest.mark.parametrize("made", [BOTH_LOW, SITUATIONS["critical-both"]])
def test_no_picture_is_asked_for_of_a_spleen_recorded_absent(made: Chart) -> None:
    card = made.condition("Z90.81", 3000).card
    (ultrasound,) = [one for one in card.suggestions if "ultrasound" in one.label]
    assert ultrasound.label == "Abdominal ultrasound (liver)"
    code = ultrasound.actions[0].resource["code"]
    assert (code["text"], code["coding"][0]["code"]) == ("Abdominal ultrasound (liver)", "24558-9")  # type: ignore[index]
    assert "Consider an abdominal ultrasound (liver); an absent or atrophic spleen is recorded." in card.detail
    assert "(spleen, liver)" not in card.detail


def test_a_reference_that_is_no_observations_id_is_no_reason_of_an_order() -> None:
    made = chart().wbc("3.4", 2)
    contained = replace(made.parts["counts"][0], reference="DiagnosticReport/1#wbc")
    card = made.lacking(counts=(contained,)).card
    assert "reasonReference" not in card.suggestions[0].actions[0].resource


def test_links_and_source_open_the_pages_about_the_service() -> None:
    card = LEUKOPENIA.card
    assert card.source.url == "https://cds.example.org/about"
    assert [link.url for link in card.links] == ["https://cds.example.org/about/causes"]
    assert len({(one.system, one.code) for one in card.override_reasons}) == len(card.override_reasons) >= 5
