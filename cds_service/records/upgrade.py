"""The steps that bring a database to this software's version, run by Alembic. Knows no row.

Imported only where there is something to be brought: Alembic takes a tenth of the service's memory, and of its start.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from cds_service.cds_hooks.errors import StoreUnavailable

_STEPS = Path(__file__).parent / "migrations"
_LOCK = 0x6379746F
"""Of PostgreSQL's advisory locks: any number, always the same."""


def alembic_settings(connection: Connection) -> Config:
    """What Alembic needs to run our steps on this connection."""
    settings = Config(attributes={"connection": connection})
    settings.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    return settings


def upgrade(connection: Connection) -> str:
    """Run the steps that are missing, one process at a time; the version that the database then has.

    Raises:
        StoreUnavailable: the database is newer than this software.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    settings = alembic_settings(connection)
    newest = str(ScriptDirectory.from_config(settings).get_current_head())
    _refuse_newer(connection, newest)
    command.upgrade(settings, "head")
    return newest


def _refuse_newer(connection: Connection, newest: str) -> None:
    """Revisions are numbered, so that they compare; the numbered steps before Alembic ended at 1."""
    version = MigrationContext.configure(connection).get_current_revision()
    if version is None and inspect(connection).has_table("schema_version"):
        steps: int = connection.scalar(text("SELECT max(version) FROM schema_version")) or 0
        version, newest = f"{steps:04}", "0001"
    if version is not None and version > newest:
        raise StoreUnavailable("The database was made by a newer version of this software; install that version.")
