"""The commands `records purge` and `records rotate-key`. Where their clock is read; composes, decides nothing."""

# ruff: noqa: PLC0415 - what only a subcommand needs is imported by it

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import click

from cds_service.command_line import WrongSetting, errors_in_one_line, read_settings
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cds_service.records.database import Database

Kind = Literal["feedback", "cards", "audit"]
_KINDS: tuple[Kind, ...] = ("feedback", "cards", "audit")
_dry_run = click.option("--dry-run", is_flag=True, help="Only say how many rows it would be.")


@click.group("records")
def records_group() -> None:
    """Keep house: delete what is old, forget retired keys."""


@records_group.command()
@click.option(
    "--older-than", "days", type=click.IntRange(1, 36_500), metavar="DAYS", help="Instead of CDS_RETENTION_DAYS."
)
@click.option("--only", "kinds", multiple=True, type=click.Choice(_KINDS), default=_KINDS, help="Can be repeated.")
@_dry_run
def purge(days: int | None, kinds: tuple[Kind, ...], dry_run: bool) -> None:
    """Delete what is older than CDS_RETENTION_DAYS, while calls are answered."""
    settings = read_settings()
    ages = {kind: days or settings.retention_days.get(kind) for kind in kinds}
    if not any(ages.values()):
        raise WrongSetting("CDS_RETENTION_DAYS says of none of these how long to keep it; say it, or --older-than.")
    now = datetime.now(UTC)
    with errors_in_one_line(), closing(_open(settings)) as database:
        for kind, age in ages.items():
            if age is not None:
                click.echo(f"{kind}: {_purge(database, kind, now - timedelta(days=age), dry_run)}")


def _purge(database: "Database", kind: Kind, before: datetime, dry_run: bool) -> str:
    from cds_service.records.housekeeping import count_older, purge_older

    older = count_older(database, kind, before)
    day = f"{before:%Y-%m-%d %H:%M} UTC"
    if dry_run:
        return f"{older} rows are older than {day}"
    return f"{_sum(purge_older(database, kind, before), older)} rows older than {day} deleted"


@records_group.command("rotate-key")
@click.option("--audit", is_flag=True, help="Forget those of the audit trail, too; nobody can then search it by them.")
@_dry_run
def rotate_key(audit: bool, dry_run: bool) -> None:
    """Forget whom the hashes of retired keys stand for.

    Retired are all keys but CDS_PSEUDONYM_KEY and CDS_PSEUDONYM_KEY_PREVIOUS. Set both first, and drop the previous
    one after the longest quiet time: what was remembered under it is then no longer needed.
    """
    settings = read_settings()
    kept = _key_ids(settings)
    with errors_in_one_line(), closing(_open(settings)) as database:
        for kind in ("cards", "audit") if audit else ("cards",):
            click.echo(f"{kind}: {_forget(database, kind, kept, dry_run)}")


def _key_ids(settings: Settings) -> frozenset[str]:
    from cds_service.services.keyed_hash import key_id

    if settings.pseudonym_key is None:
        raise WrongSetting("CDS_PSEUDONYM_KEY: needed, or all keys would be retired ones.")
    keys = filter(None, (settings.pseudonym_key, settings.pseudonym_key_previous))
    return frozenset(key_id(key.get_secret_value().encode()) for key in keys)


def _forget(database: "Database", kind: Literal["cards", "audit"], kept: frozenset[str], dry_run: bool) -> str:
    from cds_service.records.housekeeping import forget_keys, rows_by_key

    rows = rows_by_key(database, kind)
    retired = sum(number for key, number in rows.items() if key not in kept)
    known = sum(rows.values()) - retired
    if dry_run:
        return f"{retired} rows of retired keys, {known} of the keys in use"
    return f"{_sum(forget_keys(database, kind, kept), retired)} rows of retired keys forgotten, {known} kept"


def _sum(parts: Iterable[int], expected: int) -> int:
    """Do it, with progress on standard error where somebody looks."""
    from rich.console import Console
    from rich.progress import Progress

    done, console = 0, Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Rows", total=expected)
        for part in parts:
            done += part
            progress.update(task, completed=done)
    return done


def _open(settings: Settings) -> "Database":
    from cds_service.records.database import PATIENT_WAIT_MS, Database

    return Database(settings.database_url.get_secret_value(), PATIENT_WAIT_MS)
