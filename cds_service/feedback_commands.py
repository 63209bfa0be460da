"""The commands `feedback export` and `feedback summary`. Where their clock is read; composes, decides nothing."""

# ruff: noqa: PLC0415 - what only one subcommand needs is imported by it

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, get_args

import click

from cds_service.command_line import errors_in_one_line, read_settings
from cds_service.feedback_summary.fates import Rules
from cds_service.feedback_summary.observed import Mode, Period
from cds_service.feedback_summary.summing import DIMENSIONS, Dimension
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cds_service.feedback_summary.made import MadeSummary
    from cds_service.feedback_summary.names import Names
    from cds_service.records.database import Database


@click.group("feedback")
def feedback_group() -> None:
    """What clinicians did with the cards."""


@feedback_group.command()
def export() -> None:
    """Print all feedback, one JSON object a line. Comments may hold patient data."""
    settings = read_settings()
    from rich.console import Console
    from rich.progress import track

    from cds_service.records.feedback import SqlFeedbackStore

    with errors_in_one_line(), _database(settings) as database:
        store, console = SqlFeedbackStore(database), Console(stderr=True)
        quiet = not console.is_terminal
        for entry in track(store.export(), "Exporting", store.count(), console=console, transient=True, disable=quiet):
            sys.stdout.write(json.dumps(entry) + "\n")


def _utc(_: click.Context, __: click.Parameter, day: datetime | None) -> datetime | None:
    return day.replace(tzinfo=UTC) if day else None


_day = click.DateTime(["%Y-%m-%d"])


@feedback_group.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with plots to FILE instead.",
)
@click.option(
    "--mode",
    type=click.Choice(get_args(Mode)),
    default="live",
    show_default=True,
    help="silent: what would have been shown.",
)
@click.option("--since", type=_day, callback=_utc, metavar="DATE", help="Cards given on this day (UTC) or later.")
@click.option("--until", type=_day, callback=_utc, metavar="DATE", help="Cards given before this day (UTC).")
@click.option("--client", metavar="ISSUER", help="Cards given to this client only.")
@click.option(
    "--by",
    "dimensions",
    multiple=True,
    type=click.Choice(DIMENSIONS),
    default=DIMENSIONS,
    help="What makes a row; can be repeated. Default: all four.",
)
@click.option(
    "--ignored-after",
    "days",
    default=7,
    show_default=True,
    type=click.IntRange(1, 366),
    metavar="DAYS",
    help="A card without a report is ignored after so many days.",
)
@click.option("--comments", is_flag=True, help="List clinicians' comments, too. They may hold patient data.")
def summary(  # noqa: PLR0913 - one an option
    as_json: bool, page: Path | None, mode: Mode, since: datetime | None, until: datetime | None, client: str | None,
    dimensions: tuple[Dimension, ...], days: int, comments: bool,
) -> None:  # fmt: skip
    """Count what was shown and what came of it: by finding, indicator, client and month (UTC)."""
    settings = read_settings()
    period = Period(mode, since, until, client)
    with errors_in_one_line():
        names = _names(settings)
        made = _make(settings, period, Rules(datetime.now(UTC), timedelta(days=days), names.reasons), comments)
        if page is not None:
            _write_page(made, names, page)
        if as_json or page is None:
            _print(made, dimensions, as_json)


def _make(settings: Settings, period: Period, rules: Rules, comments: bool) -> "MadeSummary":
    from rich.console import Console
    from rich.progress import track

    from cds_service.feedback_summary.made import MAX_COMMENTS, MadeSummary
    from cds_service.feedback_summary.summing import summarise
    from cds_service.records.observed_cards import ObservedCards

    with _database(settings) as database:
        kept = ObservedCards(database)
        console = Console(stderr=True)
        cards = track(
            kept.stream(period), "Counting cards", kept.count(period), console=console, transient=True,
            disable=not console.is_terminal,
        )  # fmt: skip
        counted = summarise(cards, rules, kept.uncounted(period) if period.mode == "live" else None)
        told = kept.comments(period, MAX_COMMENTS) if comments else None
    return MadeSummary(period, rules, counted, told)


def _print(made: "MadeSummary", dimensions: tuple[Dimension, ...], as_json: bool) -> None:
    from cds_service.feedback_summary.as_json import summary_as_json
    from cds_service.feedback_summary.as_table import print_summary

    if as_json:
        click.echo(json.dumps(summary_as_json(made, dimensions), indent=2, ensure_ascii=False))
    else:
        print_summary(made, dimensions)


def _write_page(made: "MadeSummary", names: "Names", file: Path) -> None:
    """Whole or not at all; readable by its owner only, since comments may hold patient data."""
    from cds_service.feedback_summary.page import render_page

    try:
        html = render_page(made, names)
    except ImportError:
        raise click.ClickException("The page's plots need a package more: pip install cytopenia-cds[sandbox]") from None
    try:
        with NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}", delete=False) as new:
            new.write(html)
        Path(new.name).replace(file)
    except OSError:
        raise click.ClickException(f"{file} can't be written.") from None
    click.echo(f"Written: {file}", err=True)


def _names(settings: Settings) -> "Names":
    from cds_service.feedback_summary.names import read_names
    from cds_service.knowledge.loader import SHIPPED
    from cds_service.knowledge.wording import load_wording

    return read_names(load_wording(settings.knowledge_dir or SHIPPED).sentences)


@contextmanager
def _database(settings: Settings) -> "Iterator[Database]":
    from cds_service.records.database import PATIENT_WAIT_MS, Database

    database = Database(settings.database_url.get_secret_value(), PATIENT_WAIT_MS)
    try:
        yield database
    finally:
        database.close()
