"""The sandbox's commands: `sandbox`, `open-chart`, `load`. Where the wall clock is read, and errors become one line."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.client_authentication.signing import Call, KeyUnusable, read_private_key, sign_token
from cds_service.sandbox.ehr import Ehr, EhrError
from cds_service.sandbox.fixtures import FixturesMissing
from cds_service.sandbox.loading import LoadError, bundles_of, load_bundle, shipped_bundles
from cds_service.sandbox.terminal import plain, print_exchange
from cds_service.settings import SettingsInvalid


def _today() -> date:
    return datetime.now(UTC).date()


def _base_url(_: click.Context, __: click.Parameter, value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise click.BadParameter("must begin with http:// or https://.")
    return value.rstrip("/")


_fhir_server = click.option(
    "--fhir-server", required=True, metavar="URL", callback=_base_url, help="Base URL (FHIR R4)."
)
_token = click.option("--access-token", metavar="TOKEN", help="Sent to the FHIR server as a bearer token.")


def _signer(_: click.Context, __: click.Parameter, value: tuple[str, Path] | None) -> Callable[[str], str] | None:
    if value is None:
        return None
    issuer, file = value
    try:
        key = read_private_key(file.read_text(encoding="utf-8"))
    except (KeyUnusable, OSError, UnicodeDecodeError):
        raise click.BadParameter("KEY holds no private JWK with kid and alg, as client-key makes it.") from None
    return lambda endpoint: sign_token(key, Call(issuer, endpoint), datetime.now(UTC))


@click.command("open-chart")
@click.argument("patient")
@_fhir_server
@click.option(
    "--service", default="http://127.0.0.1:8000", show_default=True, metavar="URL", callback=_base_url,
    help="Base URL of the CDS service, above /cds-services.",
)  # fmt: skip
@_token
@click.option(
    "--sign-as", "sign", type=(str, click.Path(exists=True, dir_okay=False, path_type=Path)), metavar="ISSUER KEY",
    callback=_signer, help="Prove it to the service: the registered iss, and the private JWK.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the service's answer as JSON instead.")
def open_chart_command(  # noqa: PLR0913 - one an option
    patient: str,
    fhir_server: str,
    service: str,
    access_token: str | None,
    sign: Callable[[str], str] | None,
    as_json: bool,
) -> None:
    """Act as the EHR: open the chart of PATIENT (a FHIR id) and print the cards the service answers."""
    ehr = Ehr(service, fhir_server, access_token, sign)
    patient_id = patient.removeprefix("Patient/")
    try:
        ehr.read_patient(patient_id)
        exchange = ehr.open_chart(patient_id)
    except EhrError as error:
        raise click.ClickException(plain(error)) from error
    if exchange.refusal is not None:
        raise click.ClickException(plain(exchange.refusal))
    if as_json:
        click.echo(json.dumps(exchange.answer, indent=2))
    else:
        print_exchange(Console(), exchange)


@click.command("load")
@_fhir_server
@_token
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
def load_command(fhir_server: str, access_token: str | None, paths: tuple[Path, ...]) -> None:
    """Put the synthetic patients, or the Bundles at PATHS, on a FHIR server, dated so that results are recent."""
    console = Console(stderr=True)
    try:
        bundles = list(bundles_of(paths, _today()) if paths else shipped_bundles(_today()))
        bar = track(bundles, description="Loading", console=console, transient=True)
        resources = sum(load_bundle(bundle, fhir_server, access_token) for bundle in bar)
    except (LoadError, FixturesMissing) as error:
        raise click.ClickException(plain(error)) from error
    click.echo(f"Loaded to {fhir_server}: {len(bundles)} patient files, {resources} resources.")


@click.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
def sandbox_command(host: str, port: int) -> None:
    """Start everything with nothing to configure: service, FHIR server with synthetic patients, chart page."""
    from cds_service.sandbox.run import run_sandbox  # noqa: PLC0415 - the other commands need no server
    from cds_service.sandbox.server import PortTaken  # noqa: PLC0415

    try:
        run_sandbox(host, port, _today(), say=lambda text: click.echo(text, err=True), ready=click.echo)
    except (PortTaken, FixturesMissing, StoreUnavailable) as error:
        raise click.ClickException(str(error)) from error
    except (SettingsInvalid, ValueError) as error:
        raise click.UsageError(str(error)) from error
