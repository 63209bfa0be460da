"""The command `cds-service`. A subcommand's modules are imported when it is called, so that help is instant.

Exit codes: 0 done; 1 it could not be done; 2 wrong usage or a wrong setting. Errors are one line on standard error.
"""

# ruff: noqa: PLC0415 - what only one subcommand needs is imported by it

import gc
import importlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from cds_service.command_line import errors_in_one_line, read_settings
from cds_service.settings import LOOPBACK, Settings, settings_without_effect

_ELSEWHERE = {
    "audit": "cds_service.audit.commands:audit_group",
    "check-knowledge": "cds_service.knowledge.commands:check_knowledge_command",
    "client-key": "cds_service.client_authentication.commands:client_key_command",
    "client-token": "cds_service.client_authentication.commands:client_token_command",
    "doctor": "cds_service.doctor.commands:doctor_command",
    "feedback": "cds_service.feedback_commands:feedback_group",
    "load": "cds_service.sandbox.commands:load_command",
    "open-chart": "cds_service.sandbox.commands:open_chart_command",
    "records": "cds_service.records_commands:records_group",
    "sandbox": "cds_service.sandbox.commands:sandbox_command",
}
_SUMMARIES = {
    "audit": "Who asked about which patient, and what was answered.",
    "check-knowledge": "Check the knowledge files without starting the service.",
    "client-key": "Make a key pair for a CDS client to try authentication with.",
    "client-token": "Sign a token for one call, as a CDS client does.",
    "doctor": "Tell step by step what works between this service and a FHIR server.",
    "feedback": "What clinicians did with the cards.",
    "load": "Put the synthetic patients on a FHIR server.",
    "open-chart": "Act as the EHR: open a patient's chart and print the cards.",
    "records": "Keep house: delete what is old, forget retired keys.",
    "sandbox": "Start everything with nothing to configure: service, FHIR server, chart page.",
}


class LazyGroup(click.Group):
    """A group some of whose commands live in rooms that are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted."""
        return sorted({*super().list_commands(ctx), *_ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command; importing it is left to the moment it runs or is asked for help."""
        if cmd_name not in _ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, name = _ELSEWHERE[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands in help, without importing any."""
        own = {name: command.get_short_help_str(80) for name, command in self.commands.items()}
        with formatter.section("Commands"):
            formatter.write_dl(sorted((own | _SUMMARIES).items()))


def _print_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked or ctx.resilient_parsing:
        return
    settings = read_settings()
    from cds_service.site_knowledge import load_site_knowledge, versions

    with errors_in_one_line():
        told = versions(load_site_knowledge(settings))
    maps = f", concept maps {told['conceptMaps']}" if "conceptMaps" in told else ""
    click.echo(f"cds-service {told['software']}, knowledge {told['knowledge']}{maps}")
    ctx.exit()


@click.group(cls=LazyGroup)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
    help="Print the versions of software and knowledge.",
)  # fmt: skip
def main() -> None:
    """A CDS Hooks service for leukopenia and thrombocytopenia. Settings: environment variables CDS_*."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option("--threads", default=16, show_default=True, type=click.IntRange(1, 256), help="Threads a process.")
@click.option("--check", is_flag=True, help="Only check settings and files, as a start or a reload does.")
def serve(host: str, port: int, workers: int, threads: int, check: bool) -> None:
    """Serve in production, for trusted clients only unless CDS_AUTH=off. SIGTERM drains, SIGHUP reloads files."""
    gc.disable()  # what is imported and loaded now stays; the server lets the collector go on when it is there
    try:
        _serve(host, port, workers, threads, check)
    finally:
        gc.enable()


def _serve(host: str, port: int, workers: int, threads: int, check: bool) -> None:
    settings = read_settings()
    from cds_service.web.library_logs import listen_to_libraries
    from cds_service.web.request_log import configure_logging
    from cds_service.web.server import AddressTaken, Listen, check_address, private_folder

    configure_logging(settings.log_level)
    listen_to_libraries(settings.log_level)
    if check:
        _check_files(settings)
        return
    listen = Listen(host, port, workers, threads, settings.time_budget_ms / 1000)
    try:
        check_address(listen)
    except AddressTaken as error:
        raise click.ClickException(str(error)) from None
    with private_folder() as folder:
        from cds_service.serving.start import prepare_server

        with errors_in_one_line():
            run = prepare_server(settings, folder)
        _tell_what_to_mind(settings, host, workers)
        run(listen, lambda url: click.echo(f"Serving {url}/cds-services"))


def _check_files(settings: Settings) -> None:
    from cds_service.serving.generations import check_files

    with TemporaryDirectory(prefix="cds-service-") as folder, errors_in_one_line():
        version = check_files(settings, Path(folder))
    click.echo(f"All can be used: knowledge {version}.")


def _tell_what_to_mind(settings: Settings, host: str, workers: int) -> None:
    for name in settings_without_effect(settings):
        click.echo(f"Warning: {name} has no effect with CDS_AUTH={settings.auth}.", err=True)
    if settings.public_url_is_loopback and host not in LOOPBACK:
        click.echo("Warning: CDS_PUBLIC_URL is a loopback address; links on cards open on this machine only.", err=True)
    if settings.audit and settings.pseudonym_key is None:
        _note("CDS_PSEUDONYM_KEY", "not set: the audit trail can't be searched for a patient")
    if not _database_works(settings):
        _note("CDS_DATABASE_URL", "not working, or not migrated: run cds-service migrate, or set CDS_MIGRATE=auto")
    for setting, note in _not_shown_or_not_remembered(settings):
        _note(setting, note)
    if settings.rate_limit and settings.redis_url is None and workers > 1:
        _note("CDS_RATE_LIMIT", f"counted by each of {workers} workers for itself; with CDS_REDIS_URL, by all together")


def _database_works(settings: Settings) -> bool:
    from cds_service.records.database import Database

    database = Database(settings.database_url.get_secret_value())
    try:
        return database.answers()
    finally:
        database.close()


def _note(setting: str, note: str) -> None:
    from cds_service.web.request_log import write_line

    write_line("warning", "setting", {"setting": setting, "note": note})


def _not_shown_or_not_remembered(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.memory and settings.pseudonym_key is None:
        yield "CDS_PSEUDONYM_KEY", "not set: what feedback keeps quiet is shown again after the next start"
    if settings.mode == "silent":
        yield "CDS_MODE", "silent: no card is shown" if settings.memory else "silent: no card is shown, none recorded"
    if settings.paused_findings:
        paused = ", ".join(settings.paused_findings)
        yield "CDS_PAUSED_FINDINGS", f"no card about {paused} is shown, critical ones included"


@main.command()
def migrate() -> None:
    """Create the database, or bring it to this version."""
    settings = read_settings()
    from cds_service.records.migrate import migrate as migrate_database

    with errors_in_one_line():
        version = migrate_database(settings.database_url.get_secret_value())
    click.echo(f"The database is at version {version}.")
