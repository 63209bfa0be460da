"""The command `doctor`. Where the wall clock is read, the token's file opened, and steps become lines or JSON."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.status import Status
from rich.text import Text

from cds_service.cds_hooks.request import AccessToken
from cds_service.composition.parts import utc_now
from cds_service.composition.review import cytopenia_review
from cds_service.doctor.examination import Case, examine
from cds_service.doctor.listening import Exchange, ListeningClient
from cds_service.doctor.steps import Outcome, Step, worst
from cds_service.knowledge.strict_files import KnowledgeError
from cds_service.outbound.urls import HttpUrl
from cds_service.settings import Settings, SettingsInvalid, load_settings
from cds_service.site_knowledge import load_site_knowledge

_LOOKS = {Outcome.FINE: ("✓", "green"), Outcome.NOTE: ("·", "yellow"), Outcome.PROBLEM: ("✗", "red")}
_SUMMARY = {
    Outcome.FINE: "Everything that the service needs from this server works.",
    Outcome.NOTE: "The service works with this server; what is marked · is worth knowing.",
    Outcome.PROBLEM: "There is something to put right: see what is marked ✗.",
}


def _base_url(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        if HttpUrl.parse(value).query:
            raise ValueError("a base URL has no query")
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None
    return value.rstrip("/")


def _patient_id(_: click.Context, __: click.Parameter, value: str) -> str:
    patient_id = value.removeprefix("Patient/")
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,64}", patient_id):
        raise click.BadParameter("must be a FHIR id: letters, digits, '-' and '.', 64 at most.")
    return patient_id


def _token(_: click.Context, __: click.Parameter, value: Path | None) -> AccessToken | None:
    if value is None:
        return None
    try:
        secret = value.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise click.BadParameter("the file can't be read.") from None
    if not re.fullmatch(r"[\x21-\x7e]+", secret):
        raise click.BadParameter("the file must hold one token, and nothing else.")
    return AccessToken(secret)


@click.command("doctor")
@click.option("--fhir-server", required=True, metavar="URL", callback=_base_url, help="Base URL of the FHIR server.")
@click.option("--patient", required=True, metavar="ID", callback=_patient_id, help="FHIR id of a patient with counts.")
@click.option(
    "--token-file", type=click.Path(path_type=Path), callback=_token, metavar="FILE",
    help="File with the bearer token for the server; it is never shown.",
)  # fmt: skip
@click.option(
    "--wait", default=30, show_default=True, type=click.IntRange(1, 60), metavar="SECONDS",
    help="How long the server may take for all searches.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the steps as JSON, in one go.")
def doctor_command(fhir_server: str, patient: str, token_file: AccessToken | None, wait: int, as_json: bool) -> None:
    """Tell step by step what works between this service and a FHIR server.

    Reads one patient as the service would and prints what came of it; the card's headline is the only thing shown of
    the chart beside counts, codes and units. This server may be called for this run, whatever CDS_FHIR_SERVERS says.
    """
    given, settings = _settings(fhir_server, wait)
    case = Case(fhir_server, patient, token_file, given.time_budget_ms)
    with _progress() as status:
        steps = []
        for step in _steps(case, settings, status):
            steps.append(step)
            if not as_json:
                _print(step)
    outcome = worst([step.outcome for step in steps])
    if as_json:
        click.echo(json.dumps(_document(fhir_server, outcome, steps), indent=2))
    else:
        click.echo(_SUMMARY[outcome])
    raise SystemExit(1 if outcome is Outcome.PROBLEM else 0)


def _settings(fhir_server: str, wait: int) -> tuple[Settings, Settings]:
    """The site's settings, and those of this run."""
    try:
        given = load_settings(auth="off")
        return given, load_settings(auth="off", fhir_servers=(fhir_server,), time_budget_ms=wait * 1000)
    except (SettingsInvalid, ValueError) as error:
        raise click.UsageError(str(error)) from error


def _steps(case: Case, settings: Settings, status: Status | None) -> Iterator[Step]:
    heard: list[Exchange] = []
    try:
        review = cytopenia_review(
            settings,
            load_site_knowledge(settings),
            http=lambda outbound: ListeningClient(outbound, case.base_url, heard),
        )
    except (KnowledgeError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    return examine(case, review, heard, utc_now(), _teller(status))


def _teller(status: Status | None) -> Callable[[str], object]:
    if status is None:
        return str
    return lambda text: status.update(text, spinner="dots")  # naming the spinner draws the line at once


@contextmanager
def _progress() -> Iterator[Status | None]:
    """A line of progress on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with console.status("Starting") as status:
        yield status


def _print(step: Step) -> None:
    sign, colour = _LOOKS[step.outcome]
    console = Console(soft_wrap=True, highlight=False)
    console.print(Text(f"{sign} {step.title}", style=f"bold {colour}"))
    for line in step.says:
        console.print(Text(f"  {line}"))
    for line in step.advice:
        console.print(Text(f"  → {line}", style=colour))


def _document(fhir_server: str, outcome: Outcome, steps: list[Step]) -> dict[str, object]:
    return {
        "fhirServer": fhir_server,
        "outcome": outcome.value,
        "steps": [
            {
                "step": step.title,
                "outcome": step.outcome.value,
                "says": step.says,
                "advice": step.advice,
                "facts": step.facts,
            }
            for step in steps
        ],
    }
