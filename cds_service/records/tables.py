"""The tables of the records, as they are now; `migrations` brings an older database to them. Knows no protocol.

A client without an issuer, or without a tenant, is kept as the empty string: no NULL, which equals nothing.
A patient and a user are kept as keyed hashes only, with the id of the key beside them.
"""

from datetime import UTC, datetime
from functools import partial

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time: aware in Python, kept in UTC (SQLite keeps no zone)."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """To the database."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the database."""
        return None if value is None else value.replace(tzinfo=UTC)


METADATA = MetaData()
_Told = partial(Column, nullable=False)
_Untold = partial(Column, nullable=True)

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("id", Integer, primary_key=True),
    _Told("digest", String(64), unique=True),
    _Told("service", String(64)),
    _Told("card", String(36), index=True),
    _Told("outcome", String(16)),
    _Told("outcome_timestamp", UtcDateTime),
    _Told("accepted_suggestions", JSON),
    _Untold("reason_code", Text),
    _Untold("reason_system", Text),
    _Untold("reason_display", Text),
    _Untold("user_comment", Text),
    _Told("received_at", UtcDateTime, index=True),
    _Told("issuer", Text, server_default=text("''")),
    _Told("tenant", Text, server_default=text("''")),
    _Untold("foreign_card", Boolean),
)
"""One report about one card a row. The same report sent again has the same digest, and so is no second row.

`user_comment` is a clinician's free text: it may hold patient data and is never logged. `foreign_card` says that the
card was not known as this client's when the report came; NULL where that isn't known.
"""

ISSUED_CARDS = Table(
    "issued_cards",
    METADATA,
    Column("id", Integer, primary_key=True),
    _Told("card", String(36)),
    _Told("suggestions", JSON),
    _Told("issuer", Text),
    _Told("tenant", Text),
    _Told("service", String(64)),
    _Told("hook_instance", Text),
    _Told("key_id", String(16)),
    _Told("patient_hash", String(64)),
    _Untold("user_hash", String(64)),
    _Told("finding", String(64)),
    _Told("severity_band", String(64)),
    _Told("indicator", String(16)),
    _Told("critical", Boolean),
    _Told("fingerprint", String(64), index=True),
    _Told("knowledge_version", Text),
    _Told("mode", String(16)),
    _Told("shown", Boolean),
    _Untold("quieted_by", Text),
    _Untold("quieted_until", UtcDateTime),
    _Told("basis", JSON),
    _Told("issued_at", UtcDateTime, index=True),
    UniqueConstraint("card", "issuer", "tenant", name="uq_issued_cards_card"),
    Index("ix_issued_cards_patient", "patient_hash", "issuer", "tenant", "issued_at"),
)
"""One card given to one client, or withheld from it, a row: no value, no name.

A retry of one hook instance has the same card id, and so is no second row. `shown` is false where the card was
quieted or the mode is silent. `basis` is what a later call needs to tell whether things have worsened.
"""

USED_TOKENS = Table(
    "used_tokens",
    METADATA,
    Column("issuer", Text, primary_key=True),
    Column("jti_digest", String(64), primary_key=True),
    _Told("expires_at", UtcDateTime, index=True),
)
"""A token that has been used a row, until it would expire anyway."""

SEALED_VALUES = Table(
    "sealed_values",
    METADATA,
    Column("name", String(64), primary_key=True),
    _Told("sealed", LargeBinary),
    _Told("expires_at", UtcDateTime, index=True),
)
"""A value that only who has the key can read a row, until it expires."""

AUDIT_TRAIL = Table(
    "audit_trail",
    METADATA,
    Column("id", Integer, primary_key=True),
    _Told("recorded_at", UtcDateTime, index=True),
    _Told("issuer", Text),
    _Told("tenant", Text),
    _Untold("service", String(64)),
    _Untold("hook_instance", Text),
    _Untold("key_id", String(16)),
    _Untold("patient_hash", String(64), index=True),
    _Untold("user_hash", String(64)),
    _Told("status", Integer),
    _Told("answered", JSON),
    _Untold("knowledge_version", Text),
)
"""One call, and what it was answered, a row: no value, no name."""
