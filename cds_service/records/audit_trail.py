"""Which call was answered what: appended, exported, never changed. Knows no HTTP; holds no value and no name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.records.database import Database
from cds_service.records.kept_rows import Keep, KeptRow, RowWriter
from cds_service.records.tables import AUDIT_TRAIL

_ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class AuditEntry:
    """One call. `key_id` names the key of both hashes; `answered` holds verdicts, card ids and the like (JSON)."""

    recorded_at: datetime
    status: int
    client: CdsClient = ANYONE
    service: str | None = None
    hook_instance: str | None = None
    key_id: str | None = None
    patient_hash: str | None = None
    user_hash: str | None = None
    answered: Mapping[str, object] = field(default_factory=dict)
    knowledge_version: str | None = None


@dataclass(frozen=True)
class Period:
    """From a point in time on, until before another one; None leaves it open."""

    since: datetime | None = None
    before: datetime | None = None


ALWAYS = Period()


class AuditTrail:
    """The trail in a database that `migrate` has made; `keep` is how its rows get there."""

    def __init__(self, database: Database, keep: Keep | None = None) -> None:
        self._database = database
        self._keep = keep or RowWriter(database).write

    def append(self, entry: AuditEntry) -> None:
        """Keep one entry.

        Raises:
            StoreUnavailable: it is lost.
        """
        row = {name: value for name, value in vars(entry).items() if name != "client"}
        row |= {"issuer": entry.client.issuer or "", "tenant": entry.client.tenant or ""}
        self._keep([KeptRow("audit", row)])

    def export(self, period: Period = ALWAYS, patient_hashes: Sequence[str] | None = None) -> Iterator[AuditEntry]:
        """The entries of a period, of one patient if told, in the order they came; read as they are asked for.

        Raises:
            StoreUnavailable: the database can't be read.
        """
        wanted = select(AUDIT_TRAIL).where(*_during(period)).order_by(AUDIT_TRAIL.c.id)
        if patient_hashes is not None:
            wanted = wanted.where(AUDIT_TRAIL.c.patient_hash.in_(patient_hashes))
        with self._database.reading() as connection:
            for row in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(wanted):
                told = dict(row._mapping)
                client = CdsClient(told.pop("issuer") or None, told.pop("tenant") or None)
                del told["id"]
                yield AuditEntry(client=client, **told)

    def count_of_other_keys(self, key_ids: Sequence[str], period: Period = ALWAYS) -> int:
        """How many entries of a period name their patient by a hash of none of these keys: they can't be searched.

        Raises:
            StoreUnavailable: the database can't be read.
        """
        wanted = (
            select(func.count()).select_from(AUDIT_TRAIL).where(AUDIT_TRAIL.c.key_id.not_in(key_ids), *_during(period))
        )
        with self._database.reading() as connection:
            return connection.scalar(wanted) or 0


def _during(period: Period) -> Iterator[ColumnElement[bool]]:
    if period.since is not None:
        yield AUDIT_TRAIL.c.recorded_at >= period.since
    if period.before is not None:
        yield AUDIT_TRAIL.c.recorded_at < period.before
