"""Whatever a chart holds, a card that comes of it keeps the contract (which `tests/conftest.py` asserts)."""

import json
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.cds_hooks.response_json import encode_response
from cds_service.hematology.assessment import assess
from cds_service.hematology.clinical_picture import ClinicalPicture, PatientFacts
from cds_service.services.card_composer import CardComposer
from tests.builders.card_contract import any_words_in_the_chart
from tests.builders.cds_contract import assert_response_conforms
from tests.builders.charts_for_cards import CALLER, SITE, knowledge
from tests.builders.hematology import AS_OF
from tests.builders.hematology_pictures import pictures
from tests.services.test_chart_text import TEXTS

COUNTED = st.integers(0, 500)


@st.composite
def hostile(draw: st.DrawFn) -> ClinicalPicture:
    """Any picture, every chart text in it anything."""
    picture = draw(pictures())
    text = draw(st.lists(TEXTS, min_size=1, max_size=4))

    def some(number: int) -> str:
        return text[number % len(text)]

    return replace(
        picture,
        counts=tuple(
            replace(
                one,
                reported_unit=some(number),
                status=some(number + 1),
                reference=f"Observation/{number}",
                specimen=one.specimen,
                reported_value=draw(st.sampled_from([str(one.value), str(one.value * 1000), some(number)])),
                collected=replace(one.collected, reported=some(number)),
            )
            for number, one in enumerate(picture.counts)
        ),
        companions=tuple(replace(one, reported=some(number)) for number, one in enumerate(picture.companions)),
        set_aside=tuple(
            replace(one, reported=some(number), reference=some(number + 1))
            for number, one in enumerate(picture.set_aside)
        ),
        conditions=tuple(
            replace(one, display=some(number), reference=f"Condition/{some(number)}")
            for number, one in enumerate(picture.conditions)
        ),
        medications=tuple(replace(one, display=some(number)) for number, one in enumerate(picture.medications)),
        patient=PatientFacts(active=draw(st.booleans()), replaced=draw(st.booleans())),
        unmapped_conditions=draw(COUNTED),
        other_patients=draw(st.integers(0, 3)),
    )


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(hostile())
def test_a_card_of_any_chart_keeps_the_contract(picture: ClinicalPicture) -> None:
    known = replace(knowledge(), guideline=replace(knowledge().guideline, card_when_not_evaluable=True))
    assessment = assess(picture, known.guideline, AS_OF)
    with any_words_in_the_chart():
        response = CardComposer(known, SITE).compose(assessment, CALLER)
        assert CardComposer(known, SITE).compose(assessment, CALLER) == response
    assert len(response.cards) == (assessment.alert is not None)
    assert_response_conforms(json.loads(encode_response(response)), CALLER.patient_id)


@settings(max_examples=50, deadline=None)
@given(pictures())
def test_a_summary_holds_every_number_of_what_it_leads_with(picture: ClinicalPicture) -> None:
    assessment = assess(picture, knowledge().guideline, AS_OF)
    for card in CardComposer(knowledge(), SITE).compose(assessment, CALLER).cards:
        leading = {
            "leukopenia": [assessment.leukopenia],
            "thrombocytopenia": [assessment.thrombocytopenia],
            "bicytopenia": [assessment.leukopenia, assessment.thrombocytopenia],
        }[assessment.alert.leading if assessment.alert else ""]
        if assessment.severity.critical:
            told = [str(one.value) for _, one, _ in assessment.severity.critical if hasattr(one, "value")][:1]
        else:
            told = [one.newest.result.reported_value for one in leading if one.newest and not one.conflicting]
        assert all(number in card.summary for number in told), (told, card.summary)
