"""A record of the chart as a card cites it: name, code, date, reference. Judges nothing."""

from cds_service.hematology.verdicts import Evidence, EvidenceKind
from cds_service.services.card_facts import CardFacts
from cds_service.services.card_wording import Markdown, Plain

_CHART_WORDS = 60


def evidence_text(evidence: Evidence, facts: CardFacts, *, dated: bool = True) -> Markdown:
    """One record, as safe Markdown: our name of its code, the chart's own words where they differ, code, date."""
    words = facts.words
    if evidence.kind is EvidenceKind.BLASTS:
        return words.markdown(
            "evidence.blasts", result=evidence.chart_text, day=_day(evidence, facts), reference=evidence.reference
        )
    quoted = evidence.chart_text.strip()
    differs = quoted and quoted.casefold() != evidence.display.casefold()
    return words.markdown(
        "evidence.record" if dated else "evidence.record-undated",
        display=evidence.display,
        quoted=words.markdown("evidence.quoted", text=quoted[:_CHART_WORDS]) if differs else Markdown(""),
        code=_code(evidence, facts),
        when=_when(evidence, facts),
        reference=evidence.reference,
    )


def _code(evidence: Evidence, facts: CardFacts) -> Markdown:
    if not evidence.code:
        return Markdown("")
    name = f"systems.{evidence.system}"
    if not facts.words.has(name):
        return facts.words.markdown("evidence.code", code=evidence.code)
    return facts.words.markdown("evidence.code-of", system=facts.words.plain(name), code=evidence.code)


def _when(evidence: Evidence, facts: CardFacts) -> Plain:
    words = facts.words
    day = _day(evidence, facts)
    if evidence.kind is EvidenceKind.CONDITION:
        return day if evidence.dated is None else words.plain("evidence.since", day=day)
    told = [day if evidence.dated is None else words.plain("evidence.begun", day=day)]
    if evidence.days_before_first_low is not None:
        told.append(_relative(evidence.days_before_first_low, facts))
    if evidence.current:
        told.append(words.plain("evidence.current"))
    elif evidence.end:
        told.append(words.plain("evidence.until", day=evidence.end))
    return words.listed(told)


def _relative(days: int, facts: CardFacts) -> Plain:
    if not days:
        return facts.words.plain("evidence.same-day")
    return facts.words.counted(f"evidence.{'before' if days > 0 else 'after'}-first-low", abs(days))


def _day(evidence: Evidence, facts: CardFacts) -> Plain:
    return Plain(evidence.dated.isoformat()) if evidence.dated else facts.words.plain("evidence.undated")
