"""Part 3 of a card's detail: what in this record supports which cause group, and what could not be looked for.

Names a group only with its evidence, but for those the source document names whenever both counts are low. Never
asserts that no cause exists: only that none is recorded in the data available, and which data those weren't.
"""

from collections.abc import Iterator

from cds_service.hematology.verdicts import Evidence, Finding, GroupSupport
from cds_service.services.card_evidence import evidence_text
from cds_service.services.card_facts import CardFacts
from cds_service.services.card_notices import PREGNANCY
from cds_service.services.card_wording import Markdown

_NOTICED = {"known-finding", PREGNANCY}
"""Context that stands among the notices."""
_SPLENIC = "splenic"
_RECORDS_AT_MOST = 4


def cause_lines(facts: CardFacts) -> tuple[Markdown, ...]:
    """One line per group, then what was looked for and not found, context, and what was not available."""
    assessed = (*_groups(facts), *_weak(facts), *_not_found(facts)) if facts.assessment.causes.assessed else ()
    return (*assessed, *_context(facts), *_gaps(facts))


def understood(facts: CardFacts) -> bool:
    """Whether all conditions and medications were to be had and could be understood."""
    picture = facts.assessment.picture
    missing = {"conditions", "medications"} & set(picture.not_available)
    return not (missing or picture.unmapped_conditions or picture.unmapped_medications)


def told_in_full(facts: CardFacts) -> frozenset[str]:
    """The references of the records that stand in these lines, so that no other part need list them again."""
    causes = facts.assessment.causes
    listed = (
        *(one.evidence for one in (*causes.groups, *_context_below(facts))),
        *(one.weak for one in (*causes.groups, *causes.weak)),
    )
    return frozenset(record.reference for records in listed for record in records[:_RECORDS_AT_MOST])


def _groups(facts: CardFacts) -> Iterator[Markdown]:
    """Those with evidence first."""
    for support in sorted(facts.assessment.causes.groups, key=lambda one: not one.evidence):
        yield _group(support, facts)


def _group(support: GroupSupport, facts: CardFacts) -> Markdown:
    """A record supports the group, not the one disease the source document names in it: that one stands beside."""
    group = facts.phrases.groups[support.group]
    named = group.named if facts.alert.leading is Finding.BICYTOPENIA else ""
    name = named if named and not support.evidence else group.name
    said = [_support(support, facts)]
    if support.weak:
        said.append(facts.words.markdown("causes.weak", records=_records(support.weak, facts)))
    if support.group == _SPLENIC and facts.spleen_recorded_absent:
        said.append(facts.words.markdown("causes.splenic-counter"))
    values = {"name": name, "mechanisms": group.mechanisms, "support": Markdown("; ".join(said))}
    if named and support.evidence:
        return facts.words.markdown("causes.group-naming", hypothesis=group.named_in_sentence, **values)
    return facts.words.markdown("causes.group" if group.mechanisms else "causes.group-plain", **values)


def _support(support: GroupSupport, facts: CardFacts) -> Markdown:
    if support.evidence:
        return facts.words.markdown("causes.supported", records=_records(support.evidence, facts))
    return facts.words.markdown("causes.unsupported" if understood(facts) else "causes.unsupported-partly")


def _records(records: tuple[Evidence, ...], facts: CardFacts) -> Markdown:
    told = [evidence_text(one, facts) for one in records[:_RECORDS_AT_MOST]]
    if more := len(records) - len(told):
        told.append(facts.words.markdown("causes.more-records", number=more))
    return Markdown("; ".join(told))


def _weak(facts: CardFacts) -> Iterator[Markdown]:
    for support in facts.assessment.causes.weak:
        name = facts.phrases.groups[support.group].name
        yield facts.words.markdown("causes.weak-only", name=name, records=_records(support.weak, facts))


def _not_found(facts: CardFacts) -> Iterator[Markdown]:
    """The groups without evidence stay behind a link. Of leukopenia: primary and secondary, told apart by no data."""
    if not understood(facts):
        yield facts.words.markdown("causes.others")
    elif facts.assessment.causes.groups:
        yield facts.words.markdown("causes.others-not-found")
    else:
        yield facts.words.markdown(f"causes.none-recorded{_pointing(facts)}")
    if facts.alert.leading is Finding.LEUKOPENIA:
        yield facts.words.markdown("causes.primary-secondary")


def _pointing(facts: CardFacts) -> str:
    """Where something is recorded that the source document doesn't call a cause, the reader is sent there."""
    if _context_below(facts):
        return "-context"
    return "-pregnancy" if any(one.group == PREGNANCY for one in facts.assessment.causes.context) else ""


def _context_below(facts: CardFacts) -> tuple[GroupSupport, ...]:
    return tuple(one for one in facts.assessment.causes.context if one.group not in _NOTICED and one.evidence)


def _context(facts: CardFacts) -> Iterator[Markdown]:
    for support in _context_below(facts):
        name = facts.phrases.groups[support.group].name
        yield facts.words.markdown("causes.context", name=name, records=_records(support.evidence, facts))


def _data(kind: str, facts: CardFacts) -> str:
    return facts.words.plain(f"data.{kind}") if facts.words.has(f"data.{kind}") else kind


def _gaps(facts: CardFacts) -> Iterator[Markdown]:
    picture = facts.assessment.picture
    for kind in picture.not_available:
        yield facts.words.markdown("causes.not-available", kind=_data(kind, facts))
    if picture.unmapped_conditions:
        text = facts.words.counted("causes.unmapped-conditions", picture.unmapped_conditions)
        yield facts.words.markdown("causes.gap", text=text)
    if picture.unmapped_medications:
        text = facts.words.counted("causes.unmapped-medications", picture.unmapped_medications)
        yield facts.words.markdown("causes.gap", text=text)
