"""The command `audit export`. Reads no clock; composes, decides nothing."""

# ruff: noqa: PLC0415 - what only one subcommand needs is imported by it

import sys
from datetime import UTC, datetime

import click

from cds_service.command_line import WrongSetting, errors_in_one_line, read_settings


def _utc(_: click.Context, __: click.Parameter, moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


_moment = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])


@click.group("audit")
def audit_group() -> None:
    """Who asked about which patient, and what was answered."""


@audit_group.command()
@click.option(
    "--from", "--since", "since", type=_moment, callback=_utc, metavar="WHEN", help="From this day or time on (UTC)."
)
@click.option(
    "--to", "--until", "before", type=_moment, callback=_utc, metavar="WHEN", help="Before this day or time (UTC)."
)
@click.option(
    "--patient", metavar="ID", help="About this patient only (FHIR id). Needs the service's CDS_PSEUDONYM_KEY."
)
def export(since: datetime | None, before: datetime | None, patient: str | None) -> None:
    """Print the audit trail as FHIR R4 AuditEvents, one JSON object a line. Progress goes to standard error."""
    settings = read_settings()
    from cds_service.audit.export import export_audit_trail
    from cds_service.audit.pseudonyms import AuditPseudonyms
    from cds_service.records.audit_trail import AuditTrail, Period
    from cds_service.records.database import PATIENT_WAIT_MS, Database

    keys = [key for key in (settings.pseudonym_key, settings.pseudonym_key_previous) if key]
    if patient is not None and not keys:
        raise WrongSetting("CDS_PSEUDONYM_KEY: needed to search for a patient: the trail holds keyed hashes, no ids.")
    about = None
    if patient is not None:
        about = [AuditPseudonyms(key.get_secret_value().encode()).patient(patient) for key in keys]
    with errors_in_one_line():
        trail = AuditTrail(Database(settings.database_url.get_secret_value(), PATIENT_WAIT_MS))
        export_audit_trail(trail, Period(since, before), about, sys.stdout.write, sys.stderr.write)
