"""The summary as a table for a terminal. Text of clients is made harmless: no control character, no markup."""

from collections.abc import Iterator, Sequence
from datetime import date

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from cds_service.cds_hooks.clients import CdsClient
from cds_service.feedback_summary.fates import Kind
from cds_service.feedback_summary.made import MadeSummary
from cds_service.feedback_summary.observed import Comment
from cds_service.feedback_summary.rates import Rate
from cds_service.feedback_summary.summing import Dimension
from cds_service.feedback_summary.tallies import Tally

_PIPED_WIDTH = 220
_LIVE = (
    "Shown",
    "Distinct",
    "Accepted",
    "Overridden",
    "Ignored",
    "Waiting",
    "Quieted",
    "Withheld",
    "Override rate, 95 % CI",
)
_SILENT = ("Would show", "Distinct", "Quieted", "Withheld")


def print_summary(made: MadeSummary, dimensions: Sequence[Dimension]) -> None:
    """Print it on standard output; wide where that is no terminal."""
    console = Console(width=None if Console().is_terminal else _PIPED_WIDTH, highlight=False)
    console.print(Group(*_parts(made, dimensions)))


def _parts(made: MadeSummary, dimensions: Sequence[Dimension]) -> Iterator[RenderableType]:
    total = made.summary.total
    if not made.summary.cells:
        yield "No cards in this period. Cards are kept while CDS_MEMORY is on."
    else:
        yield _table(made, dimensions, total)
        yield from _remarks(made, total)
    yield from _uncounted(made)
    if made.comments is not None:
        yield from _comments(made.comments, made)


def _table(made: MadeSummary, dimensions: Sequence[Dimension], total: Tally) -> Table:
    live = made.period.mode == "live"
    table = Table(show_footer=True, header_style="bold", footer_style="bold")
    for number, dimension in enumerate(dimensions):
        table.add_column(dimension.capitalize(), "" if number else "All", overflow="fold")
    for name, cell in zip(_LIVE if live else _SILENT, _figures(total, live), strict=True):
        table.add_column(name, cell, justify="right")
    table.add_column("Reasons", _reasons(total), overflow="fold")
    for key, tally in made.summary.by(dimensions).items():
        table.add_row(*(Text(_place(value)) for value in key), *_figures(tally, live), _reasons(tally))
    return table


def _figures(tally: Tally, live: bool) -> tuple[str, ...]:
    unshown = (str(tally.count(Kind.QUIETED)), str(tally.count(Kind.WITHHELD)))
    if not live:
        return (str(tally.shown), str(tally.distinct), *unshown)
    reported = (str(tally.count(kind)) for kind in (Kind.ACCEPTED, Kind.OVERRIDDEN, Kind.IGNORED, Kind.WAITING))
    return (str(tally.shown), str(tally.distinct), *reported, *unshown, said_rate(tally.override_rate))


def said_rate(rate: Rate) -> str:
    """As 42 % (31 to 54) of 65; a dash where there is nothing to divide by."""
    if rate.value is None or rate.interval is None:
        return "–"
    low, high = rate.interval
    return f"{rate.value:.0%} ({100 * low:.0f} to {100 * high:.0f}) of {rate.whole}".replace("%", " %")


def _reasons(tally: Tally) -> Text:
    said = (
        f"{label} {', '.join(f'{why} {number}' for why, number in found.items())}"
        for label, kind in (("overridden:", Kind.OVERRIDDEN), ("quieted:", Kind.QUIETED))
        if (found := tally.by_reason(kind))
    )
    return Text("; ".join(said))


def _place(value: object) -> str:
    if isinstance(value, CdsClient):
        return harmless(" / ".join(part for part in (value.issuer, value.tenant) if part) or "anyone")
    return f"{value:%Y-%m}" if isinstance(value, date) else harmless(str(value))


def _remarks(made: MadeSummary, total: Tally) -> Iterator[str]:
    if made.period.mode == "silent":
        yield "Silent mode: nothing was shown; the counts say what would have been."
        return
    yield (
        f"Override rate: overridden of those answered (Wilson interval). Answered: {said_rate(total.answer_rate)} "
        f"cards{_unanswered(made, total)}."
    )
    yield f"Of distinct messages, whatever the number of openings: {said_rate(total.override_rate_of_messages)}."
    if total.changed:
        yield f"Both outcomes were reported of {total.changed} cards; the last one counts."
    if total.comments and made.comments is None:
        yield f"{total.comments} comments; --comments lists them. They may hold patient data."


def _unanswered(made: MadeSummary, total: Tally) -> str:
    """What became of the others; a card shown of late may still be answered, and is in no rate yet."""
    days = made.rules.ignored_after.days
    ignored, waiting = total.count(Kind.IGNORED), total.count(Kind.WAITING)
    said = f"; ignored, with no report within {days} days: {ignored}" if ignored else ""
    return said + (f"; not answered yet, shown less than {days} days ago: {waiting}" if waiting else "")


def _uncounted(made: MadeSummary) -> Iterator[str]:
    uncounted = made.summary.uncounted
    told = (
        (uncounted.foreign, "about cards that were never issued to that client"),
        (uncounted.forgotten, "about cards that are no longer kept"),
        (uncounted.unknown, "that can't be told to be about our cards"),
        (made.summary.reports_on_unshown, "about cards that nobody was shown"),
    )
    for number, which in told:
        if number:
            yield f"Not counted: {number} reports {which}."


def _comments(comments: Sequence[Comment], made: MadeSummary) -> Iterator[RenderableType]:
    yield f"The newest {len(comments)} comments, by day of receipt (UTC). They may hold patient data."
    for one in comments:
        reason = made.rules.reasons.get(one.reason, "other") if one.reason else ""
        about = " ".join(filter(None, (one.finding, one.indicator, one.outcome, reason)))
        yield Text(harmless(f"{one.received_at:%Y-%m-%d}  {about}  card {one.card}: {one.text}"))


def harmless(text: str) -> str:
    """The same text on one line; whatever could steer a terminal is a space."""
    return "".join(character if character.isprintable() else " " for character in text)
