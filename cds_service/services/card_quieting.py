"""What a card says of being set aside: for how long that keeps it quiet, and what makes it speak again.

The same words whether or not memory can be asked just now. Decides nothing (`quieting`).
"""

from collections.abc import Iterator

from cds_service.knowledge.model import Quieting
from cds_service.services.card_values import plain_number
from cds_service.services.card_wording import Markdown, Plain, Wording


def quieting_lines(policy: Quieting | None, words: Wording, *, critical: bool) -> Iterator[Markdown]:
    """The site's times; of a critical card what holds while it is critical. Nothing where nothing is ever quiet."""
    if policy is None or not (times := [*_times(policy, words)]):
        return
    tag = words.plain("words.site_default")
    fall = plain_number(policy.fall_percent)
    yield words.markdown("quieting.line", times=words.listed(times), fall=fall, tag=tag)
    if critical:
        yield _critical(policy, words, tag)


def _times(policy: Quieting, words: Wording) -> Iterator[Plain]:
    for reason in policy.overridden:
        if reason.days:
            yield words.counted("quieting.time", reason.days, reason=_name(reason.name, words))
    if policy.accepted_days:
        yield words.counted("quieting.accepted", policy.accepted_days)


def _critical(policy: Quieting, words: Wording, tag: Plain) -> Markdown:
    reasons = [_name(one.name, words) for one in policy.overridden if one.days and one.also_critical]
    if not reasons or not policy.critical_hours:
        return words.markdown("quieting.critical-never", tag=tag)
    listed = words.listed(reasons)
    return words.markdown("quieting.critical", reasons=listed, hours=policy.critical_hours, tag=tag)


def _name(reason: str, words: Wording) -> Plain:
    key = f"quieting.{reason}"
    return words.plain(key if words.has(key) else f"override.{reason}.display")
