"""Part 1 of a card's detail: the table of the results used, and what is shown beside it. Judges nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from cds_service.hematology.lab_results import Analyte, CompanionKind, CompanionResult, CountResult
from cds_service.hematology.verdicts import CriticalReason, FindingAssessment, Occasion, Side
from cds_service.services.card_facts import ANALYTE, CardFacts
from cds_service.services.card_values import collected_text, utc_day
from cds_service.services.card_wording import NOTHING, Markdown

_ROWS_PER_ANALYTE = 6
_DAY = attrgetter("collected.day")
_COMPANIONS = (
    CompanionKind.HEMOGLOBIN,
    CompanionKind.AST,
    CompanionKind.ALT,
    CompanionKind.TEMPERATURE,
    CompanionKind.EDTA_CLUMP_CHECK,
    CompanionKind.PLATELET_ADEQUACY,
)


class ResultRow(NamedTuple):
    """One line of the table, each cell safe Markdown."""

    test: Markdown
    collected: Markdown
    reported: Markdown
    status: Markdown


@dataclass(frozen=True)
class _Listed:
    """The occasions of one finding that a card could list, newest first, and those that it has room for."""

    finding: FindingAssessment
    all: list[Occasion]
    kept: list[Occasion]


def result_parts(facts: CardFacts) -> tuple[tuple[ResultRow, ...], tuple[Markdown, ...]]:
    """The rows of the table, and what is said below it.

    The results used: leukocytes, platelets, then what severity rests on; each newest first.
    """
    listed = [_listed(one, facts) for one in (facts.assessment.leukopenia, facts.assessment.thrombocytopenia)]
    return (*_count_rows(listed, facts), *_severity_rows(facts)), _notes(listed, facts)


def _notes(listed: list[_Listed], facts: CardFacts) -> tuple[Markdown, ...]:
    """Rows left out, results that decided nothing, companions as reported."""
    assessment = facts.assessment
    notes = [_left_out(one, facts) for one in listed]
    notes += [_shown_only(finding, facts) for finding in (assessment.leukopenia, assessment.thrombocytopenia)]
    companions = [_companion(one, facts) for one in _newest_of_each(assessment.picture.companions)]
    if companions:
        notes.append(facts.words.markdown("results.companions", results=facts.words.listed_markdown(companions)))
    return tuple(note for note in notes if note)


def _count_rows(listed: list[_Listed], facts: CardFacts) -> Iterator[ResultRow]:
    for one in listed:
        for occasion in one.kept:
            side = _side(occasion, facts)
            for result in occasion.results:
                yield _row(result, side, facts)
        yield from _fallen_from(one.finding, facts)


def _fallen_from(finding: FindingAssessment, facts: CardFacts) -> Iterator[ResultRow]:
    """The last count that was not low before a mild fall, where it isn't in the table already."""
    for occasion in facts.alert.fallen_from:
        if occasion.analyte is ANALYTE[finding.finding] and occasion != finding.previous:
            for result in occasion.results:
                yield _row(result, _side(occasion, facts), facts)


def _listed(finding: FindingAssessment, facts: CardFacts) -> _Listed:
    occasions = _all(finding, facts)
    return _Listed(finding, occasions, _kept(occasions, facts))


def _kept(occasions: list[Occasion], facts: CardFacts) -> list[Occasion]:
    """The newest and the oldest, with the pair of bicytopenia."""
    if len(occasions) <= _ROWS_PER_ANALYTE:
        return occasions
    pair = [one for one in facts.assessment.bicytopenia.pair or () if one.analyte is occasions[0].analyte]
    kept = dict.fromkeys((*occasions[: _ROWS_PER_ANALYTE - 1], *pair, occasions[-1]))
    return sorted(kept, key=_DAY, reverse=True)


def _all(finding: FindingAssessment, facts: CardFacts) -> list[Occasion]:
    """What the verdict rests on, and what the newest is compared with."""
    analyte = ANALYTE[finding.finding]
    pair = tuple(one for one in facts.assessment.bicytopenia.occasions if one.analyte is analyte)
    found = dict.fromkeys((*finding.occasions, *pair, *((finding.conflicting,) if finding.conflicting else ())))
    if finding.previous and finding in facts.leading:
        found.setdefault(finding.previous)
    return sorted(found, key=_DAY, reverse=True)


def _left_out(listed: _Listed, facts: CardFacts) -> Markdown | None:
    number = len(listed.all) - len(listed.kept)
    if not number:
        return None
    name = facts.phrases.names[ANALYTE[listed.finding.finding]]
    return facts.words.markdown("results.left-out", text=facts.words.counted("results.more", number, name=name))


def _row(result: CountResult, side: Markdown, facts: CardFacts) -> ResultRow:
    words = facts.words
    issued = words.markdown("results.from-issued") if result.collected.from_issued else NOTHING
    status: list[str] = [side] if side else []
    if result.low_confidence:
        status.append(words.markdown("results.low-confidence"))
    status.append(result.status)
    return ResultRow(
        test=facts.phrases.tests[result.analyte],
        collected=words.markdown("results.collected", time=Markdown(collected_text(result.collected)), issued=issued),
        reported=words.markdown("results.cell", text=facts.reported(result)),
        status=words.listed_markdown(status),
    )


def _side(occasion: Occasion, facts: CardFacts) -> Markdown:
    key = "two-values" if len(occasion.results) > 1 and occasion.side is Side.LOW else occasion.side.value
    return facts.words.markdown(f"sides.{key}")


def _severity_rows(facts: CardFacts) -> Iterator[ResultRow]:
    """Neutrophils and blasts stand in no finding; severity reads them."""
    critical = {result.reference for _, result, _ in facts.assessment.severity.critical}
    if neutrophils := _newest_neutrophils(facts):
        low = facts.words.markdown("sides.low") if neutrophils.reference in critical else NOTHING
        yield _row(neutrophils, low, facts)
    for reason, result, _ in facts.assessment.severity.critical:
        if isinstance(result, CompanionResult) and reason is CriticalReason.BLASTS:
            yield ResultRow(
                test=facts.words.markdown("results.cell", text=facts.words.plain("companions.blasts")),
                collected=facts.words.markdown("results.cell", text=collected_text(result.collected)),
                reported=facts.words.markdown("results.cell", text=result.reported),
                status=facts.words.listed_markdown([facts.words.markdown("sides.blasts"), result.status]),
            )


def _newest_neutrophils(facts: CardFacts) -> CountResult | None:
    """The count severity rests on, else the newest of its window."""
    for _, result, _ in facts.assessment.severity.critical:
        if isinstance(result, CountResult) and result.analyte is Analyte.NEUTROPHILS:
            return result
    today, window = utc_day(facts.assessment.as_of), facts.guideline.severity_window.days
    recent = [
        result
        for result in facts.assessment.picture.counts_of(Analyte.NEUTROPHILS)
        if not result.low_confidence and (today - result.collected.day).days <= window
    ]
    return max(recent, key=_collected, default=None)


def _collected(result: CountResult) -> tuple[date, float]:
    """Chronological; a day without a time before the times of that day."""
    instant = result.collected.instant
    return result.collected.day, instant.timestamp() if instant else 0.0


def _shown_only(finding: FindingAssessment, facts: CardFacts) -> Markdown | None:
    """The newest estimate or capillary count, which decided nothing."""
    if not finding.shown_only:
        return None
    newest = max(finding.shown_only, key=_DAY)
    return facts.words.markdown(
        "results.shown-only",
        name=facts.phrases.names[newest.analyte],
        result=facts.reported(newest),
        time=collected_text(newest.collected),
    )


def _newest_of_each(companions: Iterable[CompanionResult]) -> Iterator[CompanionResult]:
    newest: dict[CompanionKind, CompanionResult] = {}
    for one in companions:
        if one.kind not in newest or one.collected.day > newest[one.kind].collected.day:
            newest[one.kind] = one
    return (newest[kind] for kind in _COMPANIONS if kind in newest)


def _companion(result: CompanionResult, facts: CardFacts) -> Markdown:
    return facts.words.markdown(
        "results.companion",
        name=facts.words.plain(f"companions.{result.kind}"),
        reported=result.reported,
        day=result.collected.day,
    )
