"""What a card says of being set aside: for how long that keeps it quiet, and what makes it speak again.

The same words whether or not memory can be asked just now. Decides nothing (`quieting`).
"""

from collections.abc import Iterator

from cds_service.hematology.verdicts import Importance
from cds_service.knowledge.model import Quieting
from cds_service.services.card_facts import CardFacts
from cds_service.services.card_values import plain_number
from cds_service.services.card_wording import Markdown, Plain


def quieting_lines(facts: CardFacts) -> Iterator[Markdown]:
    """The site's times; of a critical card what holds while it is critical. Nothing where nothing is ever quiet."""
    policy = facts.knowledge.quieting
    if policy is None or not (times := [*_times(policy, facts)]):
        return
    tag = facts.words.plain("words.site_default")
    fall = plain_number(policy.fall_percent)
    yield facts.words.markdown("quieting.line", times=facts.words.listed(times), fall=fall, tag=tag)
    if facts.alert.importance is Importance.CRITICAL:
        yield _critical(policy, facts, tag)


def _times(policy: Quieting, facts: CardFacts) -> Iterator[Plain]:
    for reason in policy.overridden:
        if reason.days:
            yield facts.words.counted("quieting.time", reason.days, reason=_name(reason.name, facts))
    if policy.accepted_days:
        yield facts.words.counted("quieting.accepted", policy.accepted_days)


def _critical(policy: Quieting, facts: CardFacts, tag: Plain) -> Markdown:
    reasons = [_name(one.name, facts) for one in policy.overridden if one.days and one.also_critical]
    if not reasons or not policy.critical_hours:
        return facts.words.markdown("quieting.critical-never", tag=tag)
    listed = facts.words.listed(reasons)
    return facts.words.markdown("quieting.critical", reasons=listed, hours=policy.critical_hours, tag=tag)


def _name(reason: str, facts: CardFacts) -> Plain:
    key = f"quieting.{reason}"
    return facts.words.plain(key if facts.words.has(key) else f"override.{reason}.display")
