"""Part 5 of a card's detail: what was read, what was not used and why, which versions, and what the card is for."""

from collections.abc import Iterator
from datetime import timedelta

from cds_service.hematology.lab_results import SetAside, SetAsideReason
from cds_service.hematology.verdicts import Importance
from cds_service.services.card_facts import CardFacts
from cds_service.services.card_notices import reported_aside
from cds_service.services.card_values import collected_text, utc_day
from cds_service.services.card_wording import Markdown

_NOT_USED_AT_MOST = 5


def limit_lines(facts: CardFacts) -> tuple[Markdown, ...]:
    """The limits: the window, at most 5 lines of what was not used, the versions, the intended use."""
    critical = facts.alert.importance is Importance.CRITICAL
    phrases = facts.phrases
    return (
        _window(facts),
        *_not_used(facts),
        *(phrases.quieting_critical if critical else phrases.quieting),
        *phrases.versions,
        facts.words.markdown("limits.intended-use"),
    )


def _window(facts: CardFacts) -> Markdown:
    until = utc_day(facts.assessment.as_of)
    lookback = facts.guideline.lookback.days
    return facts.words.markdown(
        "limits.window",
        first=until - timedelta(days=lookback),
        last=until,
        days=lookback,
        current=facts.guideline.current.days,
    )


def _not_used(facts: CardFacts) -> Iterator[Markdown]:
    """Of another patient's results nothing is shown but their number."""
    ours = [one for one in facts.assessment.not_used if one.reason is not SetAsideReason.OTHER_PATIENT]
    others = facts.assessment.picture.other_patients
    room = _NOT_USED_AT_MOST - (1 if others else 0)
    if others:
        text = facts.words.counted("limits.other-patient", others)
        yield facts.words.markdown("limits.not-used-text", text=text)
    shown = ours if len(ours) <= room else ours[: room - 1]
    for one in shown:
        yield _set_aside(one, facts)
    if more := len(ours) - len(shown):
        yield facts.words.markdown("limits.not-used-more", number=more)


def _set_aside(one: SetAside, facts: CardFacts) -> Markdown:
    return facts.words.markdown(
        "limits.not-used",
        name=facts.phrases.names[one.analyte],
        time=collected_text(one.collected) if one.collected else facts.words.plain("evidence.undated"),
        reported=reported_aside(one, facts),
        reason=facts.words.plain(f"reasons.{one.reason}"),
        reference=one.reference,
    )
