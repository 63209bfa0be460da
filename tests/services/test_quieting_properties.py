"""Whatever a chart holds: nothing worse than what was set aside is quiet, and a newer critical result always speaks.

The counts before and after are compared here by hand, not by the code under test.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from cds_service.cds_hooks.clients import ANYONE
from cds_service.cds_hooks.request import CdsRequest, PatientViewContext
from cds_service.hematology.assessment import assess
from cds_service.hematology.clinical_picture import ClinicalPicture
from cds_service.hematology.lab_results import Analyte, Comparator, CountResult
from cds_service.hematology.verdicts import Assessment, Side
from cds_service.knowledge.model import Quieting, QuietReason
from cds_service.services.card_memory import CardMemory
from cds_service.services.issued_card import NOTHING_KEPT, AnsweredCard
from cds_service.services.pseudonyms import Pseudonyms
from cds_service.services.quieting import Candidate, decide
from tests.builders.hematology import AS_OF
from tests.builders.hematology_pictures import at, counts, pictures
from tests.builders.knowledge import shipped_knowledge

KNOWLEDGE = shipped_knowledge()
assert KNOWLEDGE.quieting is not None
POLICY: Quieting = KNOWLEDGE.quieting
MEMORY = CardMemory(NOTHING_KEPT, Pseudonyms(b"a key for tests only, synthetic"), "cytopenia-review")
LEUKOCYTES, PLATELETS = ("0.4", "0.9", "1.4", "2.5", "2.9", "3.5", "3.9"), ("10", "30", "60", "80", "99")
REQUEST = CdsRequest("patient-view", "synthetic", PatientViewContext("Practitioner/synthetic-p1", "synthetic-1"))
INDICATORS = ["info", "warning", "critical"]
RANK = {"present": 3, "unconfirmed": 2, "unreliable": 1}
LIMITED = settings(max_examples=150, deadline=None)


def candidate_of(picture: ClinicalPicture, days: float = 0) -> Candidate | None:
    """The card that a picture deserves so many days after `AS_OF`."""
    assessment = assess(picture, KNOWLEDGE.guideline, AS_OF + timedelta(days=days))
    if assessment.alert is None:
        return None
    return MEMORY.candidate(assessment, assessment.alert, REQUEST, ANYONE, KNOWLEDGE)


def set_aside(candidate: Candidate, reason: QuietReason) -> AnsweredCard:
    return AnsweredCard(candidate.card, "overridden", AS_OF, (reason.system, reason.code))


@st.composite
def cards(draw: st.DrawFn) -> ClinicalPicture:
    """A picture that deserves a card: whatever else it holds, a count of these days is low."""
    picture = draw(pictures())
    analyte, values = draw(st.sampled_from([(Analyte.LEUKOCYTES, LEUKOCYTES), (Analyte.PLATELETS, PLATELETS)]))
    value = draw(st.sampled_from(values))
    count = CountResult("low", analyte, at(draw(st.integers(0, 48))), Decimal(value), value, "10*9/L")
    made = replace(picture, counts=(*picture.counts, count))
    assume(candidate_of(made) is not None)
    return made


@st.composite
def later_pictures(draw: st.DrawFn) -> tuple[ClinicalPicture, ClinicalPicture]:
    """A picture that deserves a card, and the same patient's with some results more, or one gone.

    Often one of them is the low count's next: a part of it, or more.
    """
    before = draw(cards())
    low_count = before.counts[-1]
    shares = draw(st.lists(st.sampled_from(["0.3", "0.74", "0.75", "0.76", "0.9", "1", "1.3"]), max_size=2))
    next_ones = [
        replace(low_count, reference=f"next/{hour}", collected=at(-hour), value=low_count.value * Decimal(share))
        for hour, share in enumerate(shares, 1)
    ]
    added = draw(st.lists(counts(), max_size=2))
    kept = draw(st.sampled_from([before.counts] * 3 + [before.counts[1:]]))
    later = [
        replace(one, reference=f"later/{number}", collected=draw(st.sampled_from([one.collected, at(0), at(1)])))
        for number, one in enumerate(added)
    ]
    return before, replace(before, counts=(*kept, *later, *next_ones))


def low(assessment: Assessment) -> dict[str, CountResult]:
    """The newest low count of each analyte."""
    findings = (assessment.leukopenia, assessment.thrombocytopenia)
    return {
        str(one.newest.analyte): one.newest.result for one in findings if one.newest and one.newest.side is Side.LOW
    }


def critical_results(assessment: Assessment) -> set[tuple[Any, ...]]:
    """What is critical: the reason and the result, but for its id."""
    return {
        (reason, result.value if isinstance(result, CountResult) else result.reported, result.collected)
        for reason, result, _ in assessment.severity.critical
    }


def worse(then: Assessment, now: Assessment) -> Iterator[str]:
    """What is worse, as a reader of two assessments would say it."""
    assert then.alert
    assert now.alert
    if INDICATORS.index(now.alert.importance) > INDICATORS.index(then.alert.importance):
        yield "indicator"
    for before, after in zip(then.findings, now.findings, strict=True):
        if RANK.get(after.verdict, 0) > RANK.get(before.verdict, 0):
            yield "joined"
    graded = dict(then.severity.grades)
    before_low, after_low = low(then), low(now)
    for analyte, grade in now.severity.grades:
        if analyte in graded and grade > graded[analyte]:
            yield "band"
    for name, after_count in after_low.items():
        before_count = before_low.get(name)
        exact = before_count and (before_count.comparator, after_count.comparator) == (Comparator.EXACT,) * 2
        if before_count and exact and after_count.value <= before_count.value * Decimal("0.75"):
            yield "fall"


@given(later_pictures(), st.sampled_from(POLICY.overridden), st.sampled_from([0, 0.5, 20]))
@LIMITED
def test_nothing_worse_is_quiet(
    both: tuple[ClinicalPicture, ClinicalPicture], reason: QuietReason, days: float
) -> None:
    before, after = both
    then, now = candidate_of(before), candidate_of(after, days)
    assert then
    assume(now is not None)
    assert now
    quieted = decide(now, [set_aside(then, reason)], POLICY, AS_OF + timedelta(days=days))
    reasons = sorted(set(worse(then.assessment, now.assessment)))
    event(f"{'quiet' if quieted else 'speaks'}: {', '.join(reasons) or 'not worse'}")
    assert not (quieted and reasons)


@given(later_pictures(), st.sampled_from(POLICY.overridden), st.sampled_from([0, 0.5, 0.99, 1, 20]))
@LIMITED
def test_a_critical_card_is_quiet_for_its_results_and_24_hours_only(
    both: tuple[ClinicalPicture, ClinicalPicture], reason: QuietReason, days: float
) -> None:
    before, after = both
    then, now = candidate_of(before), candidate_of(after, days)
    assert then
    assume(now is not None and now.card.critical)
    assert now
    quieted = decide(now, [set_aside(then, reason)], POLICY, AS_OF + timedelta(days=days))
    event(f"quiet: {quieted is not None}")
    if quieted:
        assert critical_results(now.assessment) <= critical_results(then.assessment)
        assert days < 1
        assert reason.also_critical
    accepted = AnsweredCard(replace(now.card, suggestions=("a",)), "accepted", AS_OF, accepted=frozenset("a"))
    assert decide(now, [accepted], POLICY, AS_OF) is None


@given(cards(), st.sampled_from(POLICY.overridden))
@LIMITED
def test_the_same_chart_again_is_quiet_for_the_time_of_the_reason(
    picture: ClinicalPicture, reason: QuietReason
) -> None:
    card = candidate_of(picture)
    assert card
    quieted = decide(card, [set_aside(card, reason)], POLICY, AS_OF)
    if card.card.critical:
        assert (quieted is not None) == reason.also_critical
    else:
        assert quieted
        assert (quieted.by, quieted.until) == (reason.name, AS_OF + timedelta(days=reason.days))


@given(later_pictures(), st.permutations(POLICY.overridden))
@LIMITED
def test_of_several_reports_the_longest_holds_in_any_order(
    both: tuple[ClinicalPicture, ClinicalPicture], reasons: list[QuietReason]
) -> None:
    then, now = (candidate_of(picture) for picture in both)
    assert then
    assume(now is not None)
    assert now
    reports = [set_aside(then, reason) for reason in reasons]
    alone = [quieted for report in reports if (quieted := decide(now, [report], POLICY, AS_OF))]
    together = decide(now, reports, POLICY, AS_OF)
    assert (together is None) == (not alone)
    if together:
        assert together.until == max(one.until for one in alone)


@given(cards())
@LIMITED
def test_an_empty_memory_quiets_nothing(picture: ClinicalPicture) -> None:
    card = candidate_of(picture)
    assert card
    assert decide(card, [], POLICY, AS_OF) is None
