"""What a card says before anything else: whose record this is, what is known already, what could not be read."""

from collections.abc import Iterator

from cds_service.hematology.lab_results import SetAside
from cds_service.hematology.verdicts import Evidence, FindingAssessment
from cds_service.services.card_evidence import evidence_text
from cds_service.services.card_facts import ANALYTE, CardFacts
from cds_service.services.card_values import collected_text, difference_number
from cds_service.services.card_wording import Markdown

PREGNANCY = "pregnancy"
"""The context group that is named among the notices."""


def notice_lines(facts: CardFacts) -> tuple[Markdown, ...]:
    """The notices, in the order they are to be read."""
    return (
        *_record(facts),
        *_known(facts),
        *_conflicting(facts),
        *_unread(facts),
        *_incomplete(facts),
        *_under_age(facts),
        *_pregnancy(facts),
    )


def _record(facts: CardFacts) -> Iterator[Markdown]:
    patient = facts.assessment.picture.patient
    if patient.replaced:
        yield facts.words.markdown("notices.replaced")
    elif not patient.active:
        yield facts.words.markdown("notices.inactive")


def _known(facts: CardFacts) -> Iterator[Markdown]:
    """The change since the previous result first, then since when the finding is on record."""
    if facts.followed:
        yield from (_change(finding, facts) for finding in facts.leading)
    if not facts.assessment.known:
        return
    dated = [one for one in facts.assessment.known if one.dated]
    first: Evidence = min(dated, key=lambda one: str(one.dated), default=facts.assessment.known[0])
    record = evidence_text(first, facts, dated=False)
    if first.dated:
        yield facts.words.markdown("notices.recorded-since", day=first.dated, record=record)
    else:
        yield facts.words.markdown("notices.recorded-undated", record=record)


def _change(finding: FindingAssessment, facts: CardFacts) -> Markdown:
    name = facts.phrases.names_first[ANALYTE[finding.finding]]
    difference = facts.difference(finding)
    if difference is None or finding.previous is None or finding.newest is None:
        return facts.words.markdown("notices.no-previous", name=name)
    key = "unchanged" if not difference else "lower" if difference < 0 else "higher"
    return facts.words.markdown(
        f"notices.change-{key}",
        name=name,
        size=difference_number(difference),
        day=finding.previous.collected.day,
        previous=facts.reported(finding.previous.result),
        newest=facts.reported(finding.newest.result),
        unit=facts.phrases.unit,
    )


def _conflicting(facts: CardFacts) -> Iterator[Markdown]:
    for finding in (facts.assessment.leukopenia, facts.assessment.thrombocytopenia):
        if finding.conflicting:
            yield facts.words.markdown(
                "notices.conflicting",
                name=facts.phrases.names_first[ANALYTE[finding.finding]],
                values=facts.words.listed(facts.reported(result) for result in finding.conflicting.results),
                time=collected_text(finding.conflicting.collected),
            )


def _unread(facts: CardFacts) -> Iterator[Markdown]:
    for finding in (facts.assessment.leukopenia, facts.assessment.thrombocytopenia):
        for one in finding.unread[:1]:
            yield facts.words.markdown(
                "notices.unread",
                name=facts.phrases.names[ANALYTE[finding.finding]],
                time=collected_text(one.collected) if one.collected else facts.words.plain("evidence.undated"),
                reported=reported_aside(one, facts),
                reason=facts.words.plain(f"reasons.{one.reason}"),
            )


def reported_aside(one: SetAside, facts: CardFacts) -> Markdown:
    """What a result set aside was reported as, in quotation marks; empty where nothing was."""
    return facts.words.markdown("evidence.quoted", text=one.reported) if one.reported.strip() else Markdown("")


def _incomplete(facts: CardFacts) -> Iterator[Markdown]:
    if facts.assessment.picture.counts_incomplete:
        yield facts.words.markdown("notices.incomplete")


def _under_age(facts: CardFacts) -> Iterator[Markdown]:
    if facts.assessment.minor:
        yield facts.words.markdown("notices.under-age", age=facts.guideline.adult_age.value)


def _pregnancy(facts: CardFacts) -> Iterator[Markdown]:
    for support in facts.assessment.causes.context:
        if support.group == PREGNANCY and support.evidence:
            yield facts.words.markdown("notices.pregnancy", record=evidence_text(support.evidence[0], facts))
