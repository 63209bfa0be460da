"""The one line a clinician reads first: what, the numbers, how long, the other count, what to consider.

It is shorter than the limit by construction: parts are shortened and dropped, the least important first, until it
fits. A number is never cut. Knows no layout.
"""

from cds_service.cds_hooks.cards import SUMMARY_LIMIT
from cds_service.hematology.criteria import Criterion
from cds_service.hematology.lab_results import Analyte, CompanionResult, CountResult
from cds_service.hematology.verdicts import (
    CriticalReason,
    Evidence,
    EvidenceKind,
    Finding,
    FindingAssessment,
    RunWords,
    Situation,
    Verdict,
)
from cds_service.services.card_facts import ANALYTE, CardFacts
from cds_service.services.card_fitting import Part, fitting_line
from cds_service.services.card_values import difference_number
from cds_service.services.card_wording import Plain

_LOW = {Verdict.PRESENT, Verdict.UNCONFIRMED}
_NAMES_THEM = {Situation.LEUKOPENIA, Situation.DOWNGRADED, Situation.CONFLICTING, Situation.NOT_EVALUABLE}
"""Situations whose words already say what is recorded, or that look for no cause."""
_ANALYTE_OF_REASON = {
    CriticalReason.LEUKOCYTES: Analyte.LEUKOCYTES,
    CriticalReason.PLATELETS: Analyte.PLATELETS,
    CriticalReason.NEUTROPHILS: Analyte.NEUTROPHILS,
}


def compose_summary(facts: CardFacts) -> str:
    """The summary, one line of fewer than 140 characters (UTF-16 units)."""
    return fitting_line(_parts(facts), facts.words.plain("summary.separator"), SUMMARY_LIMIT)


def _parts(facts: CardFacts) -> list[Part]:
    """Wording is shortened first; then how long it lasts goes before what is recorded, the other count, the advice."""
    critical = facts.alert.situation is Situation.CRITICAL
    return [
        Part(_record(facts), (2,)),
        Part(_what(facts), (12, 1, 1, 1, 1, 1, 1) if critical else (12, 10)),
        Part(_how_long(facts), (11, 9, 8)),
        Part(_companion(facts), (4,)),
        Part(_recorded(facts), (7, 6, 5)),
        Part(_consider(facts), (7, 6, 3) if _names_groups(facts) else (13, 3)),
    ]


def _record(facts: CardFacts) -> tuple[str, ...]:
    """An inactive or replaced record is said first."""
    patient = facts.assessment.picture.patient
    for key, applies in (("replaced", patient.replaced), ("inactive", not patient.active)):
        if applies:
            return (facts.words.plain(f"summary.{key}"), "")
    return ()


def _what(facts: CardFacts) -> tuple[str, ...]:
    match facts.alert.situation:
        case Situation.CRITICAL:
            return _critical(facts)
        case Situation.CONFLICTING:
            return tuple(_conflicting(f"summary.conflicting{form}", facts.leading[0], facts) for form in ("", "-short"))
        case Situation.NOT_EVALUABLE:
            return (facts.words.plain("summary.not-evaluable", name=_name(facts.leading[0], facts)),)
        case Situation.THROMBOCYTOPENIA_UNRELIABLE:
            return (_low("summary.unreliable", facts.leading[0], facts),)
    if facts.alert.leading is not Finding.BICYTOPENIA:
        return (_low("summary.low", facts.leading[0], facts),)
    values = {finding.finding.value: facts.short_low(finding) for finding in facts.leading}
    return (
        facts.words.plain("summary.both-low", unit=facts.phrases.unit, **values),
        facts.words.plain("summary.both-low-short", **values),
        facts.words.plain("summary.both-low-shorter", **values),
    )


def _low(key: str, finding: FindingAssessment, facts: CardFacts) -> Plain:
    return facts.words.plain(key, name=_name(finding, facts), value=facts.short_low(finding), unit=facts.phrases.unit)


def _critical(facts: CardFacts) -> tuple[str, ...]:
    """Every reason with its limit; where there is room, the counts that are low without being a reason."""
    critical = facts.assessment.severity.critical
    full = [_reason("summary.critical", one, facts) for one in critical]
    short = [_reason("summary.critical-short", one, facts) for one in critical]
    named = {_ANALYTE_OF_REASON.get(reason) for reason, *_ in critical}
    others = [
        facts.words.plain("summary.critical-short", name=_name(finding, facts), value=facts.short_low(finding))
        for finding in facts.leading
        if finding.newest and finding.newest.analyte not in named
    ]
    spellings = [full + others, short + others, *(short[:kept] for kept in range(len(short), 0, -1))]
    separator = facts.words.plain("summary.separator")
    return tuple(separator.join(spelling) for spelling in spellings)


def _reason(
    key: str, critical: tuple[CriticalReason, CountResult | CompanionResult, Criterion | None], facts: CardFacts
) -> Plain:
    reason, result, limit = critical
    if isinstance(result, CompanionResult) or limit is None:
        return facts.words.plain("summary.blasts")
    name = facts.phrases.names[_ANALYTE_OF_REASON[reason]]
    return facts.words.plain(key, name=name, value=facts.short(result, f"<{limit.value}"), unit=facts.phrases.unit)


def _conflicting(key: str, finding: FindingAssessment, facts: CardFacts) -> Plain:
    results = finding.conflicting.results if finding.conflicting else ()
    return facts.words.plain(
        key,
        name=_name(finding, facts),
        low=facts.short(results[0]),
        high=facts.short(results[-1]),
        limit=facts.limit_of(finding).value,
        unit=facts.phrases.unit,
    )


def _how_long(facts: CardFacts) -> tuple[str, ...]:
    """The change where the finding or its disease is on record; else how long it has been low. Four spellings."""
    spellings = _change(facts) or _runs(facts)
    if facts.alert.situation is Situation.MILD_FALL:
        spellings = (facts.words.plain("summary.mild-fall", days=facts.guideline.mild_fall_within.days),)
    return (*spellings, *spellings[-1:] * (3 - len(spellings)), "") if spellings else ()


def _change(facts: CardFacts) -> tuple[str, ...]:
    finding = facts.leading[0]
    difference = facts.difference(finding)
    if not facts.followed or difference is None or finding.previous is None:
        return ()
    key = "unchanged" if not difference else "lower" if difference < 0 else "higher"
    values = {"size": difference_number(difference), "day": finding.previous.collected.day}
    first = min(((one.dated, one) for one in facts.assessment.known if one.dated), default=None, key=lambda one: one[0])
    change = facts.words.plain(f"summary.change-{key}", **values)
    if facts.leading[1:]:
        change = facts.words.plain("summary.change-of", name=_name(finding, facts), change=change)
    if first is None:
        return (change,)
    return (
        facts.words.plain("summary.change-recorded", change=change, name=_known(first[1], facts), day=first[0]),
        change,
    )


def _known(record: Evidence, facts: CardFacts) -> Plain:
    """What a record of the finding calls it, in one word where the wording has one."""
    words = (word for word in facts.words.section("known_findings") if word in record.display.casefold())
    return facts.words.plain(f"known_findings.{next(words, 'other')}")


def _runs(facts: CardFacts) -> tuple[str, ...]:
    runs = [(finding, finding.run) for finding in facts.leading if finding.run]
    if not runs:
        return ()
    finding, _ = max(runs, key=lambda pair: pair[1].days)
    longest = facts.runs[finding.finding]
    if len(runs) == 1:
        return longest[:2]
    if all(one.words is RunWords.ONE for _, one in runs):
        return (facts.words.plain("summary.one-each"),)
    named = [facts.words.plain("summary.run-of", name=_name(finding, facts), run=spelled) for spelled in longest[:2]]
    as_long = len({spelled.shortest for spelled in facts.runs.values()}) == 1
    return (*named, longest.shortest) if as_long else tuple(named)


def _companion(facts: CardFacts) -> tuple[str, ...]:
    """The other count, where the card leads with one."""
    if facts.alert.leading is Finding.BICYTOPENIA:
        return ()
    leukopenia = facts.alert.leading is Finding.LEUKOPENIA
    other = facts.assessment.thrombocytopenia if leukopenia else facts.assessment.leukopenia
    return (_other_count(other, facts), "")


def _other_count(other: FindingAssessment, facts: CardFacts) -> Plain:
    """What is known of the other count: isolated only where its finding is absent."""
    name = _name(other, facts)
    reasons = {_ANALYTE_OF_REASON.get(reason) for reason, *_ in facts.assessment.severity.critical}
    if other.verdict is Verdict.ABSENT and other.newest:
        established = facts.assessment.thrombocytopenia.verdict is Verdict.PRESENT
        key = "isolated" if other.finding is Finding.LEUKOPENIA and established else "not-low"
        return facts.words.plain(f"summary.other-{key}", name=name, value=facts.short(other.newest.result))
    if other.verdict in _LOW and other.newest:
        if other.newest.analyte in reasons:
            return Plain("")
        day = other.newest.collected.day
        return facts.words.plain("summary.other-low", name=name, value=facts.short_low(other), day=day)
    if other.verdict is Verdict.UNRELIABLE and other.newest:
        return facts.words.plain("summary.other-unreliable", name=name, value=facts.short(other.newest.result))
    return facts.words.plain(
        "summary.other-not-available", name=facts.words.plain(f"analytes_in_full.{ANALYTE[other.finding]}")
    )


def _recorded(facts: CardFacts) -> tuple[str, ...]:
    """The cause groups this record supports, beside what the situation says to consider."""
    groups = _supported(facts)
    if not groups or facts.alert.situation in _NAMES_THEM:
        return ()
    return (*_spelled("summary.recorded", groups, facts), "")


def _spelled(key: str, groups: list[Plain], facts: CardFacts) -> tuple[str, str, str]:
    """All groups by name, the first by name, their number alone."""
    by_name = facts.words.plain(key, groups=facts.words.listed(groups))
    first = facts.words.plain(f"{key}-more", group=groups[0], number=len(groups) - 1) if groups[1:] else by_name
    return by_name, first, facts.words.counted(f"{key}-number", len(groups))


def _consider(facts: CardFacts) -> tuple[str, ...]:
    """What to consider; for leukopenia the recorded cause groups by name, where there are any."""
    words = facts.words
    if _names_groups(facts):
        spelled = _spelled("summary.consider-recorded", _supported(facts), facts)
        return (*spelled, words.plain("summary.consider-leukopenia-short"))
    key = f"summary.consider-{facts.alert.situation}-{_aspect(facts)}"
    key = key if words.has(key) else f"summary.consider-{facts.alert.situation}"
    short = f"{key}-short"
    return (words.plain(key), words.plain(short if words.has(short) else key), "")


def _names_groups(facts: CardFacts) -> bool:
    return facts.alert.situation is Situation.LEUKOPENIA and bool(_supported(facts))


def _aspect(facts: CardFacts) -> str:
    """What tells two summaries of one situation apart: why it is downgraded, else the leading finding."""
    return facts.alert.downgrades[0][0] if facts.alert.downgrades else facts.alert.leading


def _supported(facts: CardFacts) -> list[Plain]:
    """The groups with evidence on record, as named in a sentence. Reported blasts alone record no disease."""
    return [
        facts.phrases.groups[support.group].in_summary
        for support in facts.assessment.causes.groups
        if any(one.kind is not EvidenceKind.BLASTS for one in support.evidence)
    ]


def _name(finding: FindingAssessment, facts: CardFacts) -> Plain:
    return facts.phrases.names[ANALYTE[finding.finding]]
