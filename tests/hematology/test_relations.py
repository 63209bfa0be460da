"""Relations that hold for any picture: what may not matter doesn't, and worse blood is never judged better."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cds_service.hematology.assessment import assess
from cds_service.hematology.clinical_picture import ClinicalPicture
from cds_service.hematology.lab_results import (
    Analyte,
    CollectionTime,
    CompanionKind,
    CompanionResult,
    CountResult,
    SetAside,
    SetAsideReason,
)
from cds_service.hematology.verdicts import Assessment, FindingAssessment, Importance, Side, Verdict
from cds_service.hematology.windows import within
from tests.builders.hematology import AS_OF, guideline
from tests.builders.hematology_answers import told
from tests.builders.hematology_pictures import at, counts, distinct_counts, pictures

GUIDELINE = guideline()
FINDING = {Analyte.LEUKOCYTES: "leukopenia", Analyte.PLATELETS: "thrombocytopenia"}
JUDGED = st.sampled_from([Analyte.LEUKOCYTES, Analyte.PLATELETS])
GRAVITY = [
    Verdict.NO_RECENT_RESULT,
    Verdict.ABSENT,
    Verdict.NOT_EVALUABLE,
    Verdict.UNRELIABLE,
    Verdict.UNCONFIRMED,
    Verdict.PRESENT,
]
RELATION = settings(max_examples=60, deadline=None, derandomize=True)


def judged(picture: ClinicalPicture, as_of: datetime = AS_OF) -> dict[str, Any]:
    """The whole answer in words, with the references of everything shown."""
    return _with_references(assess(picture, GUIDELINE, as_of))


def _with_references(answer: Assessment) -> dict[str, Any]:
    shown = [
        [result.reference for one in finding.occasions for result in one.results]
        for finding in (answer.leukopenia, answer.thrombocytopenia, answer.bicytopenia)
    ]
    return told(answer) | {"shown": shown, "set aside": [one.reference for one in answer.not_used]}


def finding_of(picture: ClinicalPicture, analyte: Analyte) -> FindingAssessment:
    answer: FindingAssessment = getattr(assess(picture, GUIDELINE, AS_OF), FINDING[analyte])
    return answer


@RELATION
@given(pictures(), st.randoms(use_true_random=False))
def test_the_order_of_records_never_matters(picture: ClinicalPicture, random: Any) -> None:
    def shuffled(records: Any) -> Any:
        return tuple(random.sample(records, len(records)))

    disordered = replace(
        picture,
        counts=shuffled(picture.counts),
        companions=shuffled(picture.companions),
        clumping=shuffled(picture.clumping),
        set_aside=shuffled(picture.set_aside),
        conditions=shuffled(picture.conditions),
        medications=shuffled(picture.medications),
    )
    assert judged(disordered) == judged(picture)


@RELATION
@given(pictures())
def test_a_result_sent_twice_is_one_result(picture: ClinicalPicture) -> None:
    twice = replace(picture, counts=picture.counts * 2, conditions=picture.conditions * 2)
    ignored = {"shown_only", "not_used", "set aside", "unread"}
    first, second = judged(picture), judged(twice)
    assert {key: first[key] for key in first.keys() - ignored} == {key: second[key] for key in second.keys() - ignored}


@RELATION
@given(pictures())
def test_what_is_no_count_changes_nothing(picture: ClinicalPicture) -> None:
    hemoglobin = CompanionResult("Observation/hb", CompanionKind.HEMOGLOBIN, at(1), "7.1 g/dL", present=True)
    assert judged(replace(picture, companions=(*picture.companions, hemoglobin))) == judged(picture)


@RELATION
@given(pictures(), st.integers(1, 400))
def test_only_the_distance_to_now_matters(picture: ClinicalPicture, days: int) -> None:
    shift = timedelta(days=days)
    assert judged(_shifted(picture, shift), AS_OF + shift) == judged(picture)


def _shifted(picture: ClinicalPicture, shift: timedelta) -> ClinicalPicture:
    """Every date and time in the picture, later by `shift`."""

    def later(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(later(one) for one in value)
        if isinstance(value, CollectionTime):
            return CollectionTime(value.reported, value.day + shift, value.instant and value.instant + shift)
        if hasattr(value, "__dataclass_fields__"):
            return replace(value, **{name: later(getattr(value, name)) for name in value.__dataclass_fields__})
        return value + shift if hasattr(value, "year") else value

    moved: ClinicalPicture = later(picture)
    return moved


@RELATION
@given(pictures(), st.integers(-12, 14))
def test_an_instant_told_in_another_offset_on_the_same_date_is_the_same(picture: ClinicalPicture, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))

    def elsewhere(count: CountResult) -> CountResult:
        instant = count.collected.instant and count.collected.instant.astimezone(zone)
        if instant is None or instant.date() != count.collected.day:
            return count
        return replace(count, collected=replace(count.collected, instant=instant))

    moved = replace(picture, counts=tuple(elsewhere(count) for count in picture.counts))
    assert judged(moved, AS_OF.astimezone(zone)) == judged(picture)


@RELATION
@given(pictures(), JUDGED, st.integers(0, 89))
def test_an_unread_result_newer_than_all_others_never_leaves_absent(
    picture: ClinicalPicture, analyte: Analyte, days: int
) -> None:
    counted = tuple(one for one in picture.counts if one.collected.day < at(days * 24).day)
    unread = SetAside("Observation/x", analyte, SetAsideReason.UNIT_MISSING, at(days * 24), unreadable=True)
    answer = assess(replace(picture, counts=counted, set_aside=(unread,)), GUIDELINE, AS_OF)
    verdict = getattr(answer, FINDING[analyte]).verdict
    assert verdict not in {Verdict.ABSENT, Verdict.NO_RECENT_RESULT}
    other = answer.thrombocytopenia if analyte is Analyte.LEUKOCYTES else answer.leukopenia
    if answer.bicytopenia.verdict is Verdict.ABSENT:
        assert other.verdict is Verdict.ABSENT


@RELATION
@given(st.data(), JUDGED, pictures())
def test_a_lower_newest_value_never_makes_a_finding_less(
    data: st.DataObject, analyte: Analyte, picture: ClinicalPicture
) -> None:
    own = sorted(data.draw(distinct_counts(analyte)), key=lambda one: one.collected.reported)
    others = tuple(one for one in picture.counts if one.analyte is not analyte)
    decisive = max(n for n, one in enumerate(own) if not one.low_confidence) if _any_criterion(own) else None
    assume(decisive is not None)
    assert decisive is not None
    lower = own[decisive].value * data.draw(st.sampled_from([Decimal("0.1"), Decimal("0.6"), Decimal("0.99")]))
    lowered = [*own[:decisive], replace(own[decisive], value=lower), *own[decisive + 1 :]]
    before = assess(replace(picture, counts=(*others, *own), conditions=()), GUIDELINE, AS_OF)
    after = assess(replace(picture, counts=(*others, *lowered), conditions=()), GUIDELINE, AS_OF)
    name = FINDING[analyte]
    assert GRAVITY.index(getattr(after, name).verdict) >= GRAVITY.index(getattr(before, name).verdict)
    if before.bicytopenia.verdict is Verdict.PRESENT:
        assert after.bicytopenia.verdict in {Verdict.PRESENT, Verdict.NOT_EVALUABLE}


def _any_criterion(own: list[CountResult]) -> bool:
    return any(not one.low_confidence for one in own)


@RELATION
@given(st.data(), JUDGED)
def test_without_a_normal_result_in_between_a_run_is_never_shorter(data: st.DataObject, analyte: Analyte) -> None:
    own = data.draw(distinct_counts(analyte))
    run = finding_of(ClinicalPicture(counts=tuple(own)), analyte).run
    assume(run is not None)
    assert run is not None
    limit = GUIDELINE.leukopenia_below if analyte is Analyte.LEUKOCYTES else GUIDELINE.thrombocytopenia_below
    for normal in (one for one in own if one.value >= limit.value):
        without = ClinicalPicture(counts=tuple(one for one in own if one is not normal))
        longer = finding_of(without, analyte).run
        assert longer is not None
        assert longer.occasions[: len(run.occasions)] == run.occasions


@RELATION
@given(pictures(), counts(), JUDGED)
def test_an_estimate_newer_than_all_others_decides_nothing(
    picture: ClinicalPicture, estimate: CountResult, analyte: Analyte
) -> None:
    picture = replace(
        picture, counts=tuple(one for one in picture.counts if one.collected.day < at(1).day), clumping=()
    )
    estimate = replace(estimate, analyte=analyte, collected=at(0), specimen=None, low_confidence=True, reference="e")
    before, after = judged(picture), judged(replace(picture, counts=(*picture.counts, estimate)))
    ignored = {"shown_only", "not_used", "set aside"}
    assert {key: after[key] for key in after.keys() - ignored} == {key: before[key] for key in before.keys() - ignored}


@RELATION
@given(pictures(), counts())
def test_what_lies_before_the_lookback_changes_nothing(picture: ClinicalPicture, old: CountResult) -> None:
    old = replace(old, reference="old", collected=at(24 * 366 + 24), specimen=None)
    assert judged(replace(picture, counts=(*picture.counts, old))) == judged(picture)


@RELATION
@given(pictures())
def test_an_answer_is_consistent_in_itself(picture: ClinicalPicture) -> None:
    answer = assess(picture, GUIDELINE, AS_OF)
    for finding in (answer.leukopenia, answer.thrombocytopenia):
        if finding.verdict in {Verdict.PRESENT, Verdict.UNCONFIRMED}:
            assert finding.run is not None
            assert finding.run.newest == finding.newest
            assert {one.side for one in finding.run.occasions} == {Side.LOW}
            assert not finding.run.newest.low_confidence
        else:
            assert finding.run is None
        if finding.verdict is Verdict.ABSENT:
            assert not finding.unread
            assert finding.conflicting is None
        shown = [*finding.occasions, *filter(None, [finding.newest, finding.previous, finding.conflicting])]
        assert all(within(one.collected, AS_OF, GUIDELINE.lookback) for one in shown)
    assert (answer.bicytopenia.verdict is Verdict.PRESENT) == (answer.bicytopenia.pair is not None)
    assert (answer.alert is not None and answer.alert.importance is Importance.CRITICAL) == bool(
        answer.severity.critical
    )


@RELATION
@given(pictures())
def test_a_card_leads_with_a_finding_that_is_there(picture: ClinicalPicture) -> None:
    answer = assess(picture, GUIDELINE, AS_OF)
    assume(answer.alert is not None)
    assert answer.alert is not None
    leading = next(one for one in answer.findings if one.finding is answer.alert.leading)
    assert leading.verdict not in {Verdict.ABSENT, Verdict.NO_RECENT_RESULT}
    assert answer.causes.assessed or leading.conflicting is not None


@RELATION
@given(pictures())
def test_a_record_never_removes_a_card(picture: ClinicalPicture) -> None:
    with_records = assess(picture, GUIDELINE, AS_OF).alert
    bare = assess(replace(picture, conditions=(), medications=()), GUIDELINE, AS_OF).alert
    assert (with_records is None) == (bare is None)
    if with_records and bare:
        assert with_records.leading is bare.leading
        critical = Importance.CRITICAL
        assert (with_records.importance is critical) == (bare.importance is critical)
