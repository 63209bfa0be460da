"""The tables of the records, as they are now; `migrations` brings an older database to them. Knows no protocol.

A client without an issuer, or without a tenant, is kept as the empty string: no NULL, which equals nothing.
A patient and a user are kept as keyed hashes only, with the id of the key beside them.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
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


class Base(DeclarativeBase):
    """All tables of the records."""

    metadata = MetaData()


class FeedbackRow(Base):
    """One report about one card. The same report sent again has the same digest, and so is no second row.

    `user_comment` is a clinician's free text: it may hold patient data and is never logged. `foreign_card` says that
    the card was never issued to this client; NULL where that isn't known.
    """

    __tablename__ = "feedback"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    service: Mapped[str] = mapped_column(String(64))
    card: Mapped[str] = mapped_column(String(36), index=True)
    outcome: Mapped[str] = mapped_column(String(16))
    outcome_timestamp: Mapped[datetime] = mapped_column(UtcDateTime)
    accepted_suggestions: Mapped[list[str]] = mapped_column(JSON)
    reason_code: Mapped[str | None] = mapped_column(Text)
    reason_system: Mapped[str | None] = mapped_column(Text)
    reason_display: Mapped[str | None] = mapped_column(Text)
    user_comment: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    issuer: Mapped[str] = mapped_column(Text, server_default=text("''"))
    tenant: Mapped[str] = mapped_column(Text, server_default=text("''"))
    foreign_card: Mapped[bool | None] = mapped_column()


class IssuedCardRow(Base):
    """One card given to one client, or withheld from it: no value, no name.

    A retry of one hook instance has the same card id, and so is no second row. `shown` is false where the card was
    quieted or the mode is silent. `basis` is what a later call needs to tell whether things have worsened.
    """

    __tablename__ = "issued_cards"
    __table_args__ = (
        UniqueConstraint("card", "issuer", "tenant", name="uq_issued_cards_card"),
        Index("ix_issued_cards_patient", "patient_hash", "issuer", "tenant", "issued_at"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    card: Mapped[str] = mapped_column(String(36))
    suggestions: Mapped[list[str]] = mapped_column(JSON)
    issuer: Mapped[str] = mapped_column(Text)
    tenant: Mapped[str] = mapped_column(Text)
    service: Mapped[str] = mapped_column(String(64))
    hook_instance: Mapped[str] = mapped_column(Text)
    key_id: Mapped[str] = mapped_column(String(16))
    patient_hash: Mapped[str] = mapped_column(String(64))
    user_hash: Mapped[str | None] = mapped_column(String(64))
    finding: Mapped[str] = mapped_column(String(64))
    severity_band: Mapped[str] = mapped_column(String(64))
    indicator: Mapped[str] = mapped_column(String(16))
    critical: Mapped[bool] = mapped_column()
    fingerprint: Mapped[str] = mapped_column(String(64), index=True)
    knowledge_version: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(String(16))
    shown: Mapped[bool] = mapped_column()
    quieted_by: Mapped[str | None] = mapped_column(Text)
    quieted_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    basis: Mapped[dict[str, object]] = mapped_column(JSON)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class UsedTokenRow(Base):
    """A token that has been used, until it would expire anyway."""

    __tablename__ = "used_tokens"

    issuer: Mapped[str] = mapped_column(Text, primary_key=True)
    jti_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class SealedValueRow(Base):
    """A value that only who has the key can read, until it expires."""

    __tablename__ = "sealed_values"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class AuditRow(Base):
    """One call, and what it was answered: no value, no name."""

    __tablename__ = "audit_trail"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    issuer: Mapped[str] = mapped_column(Text)
    tenant: Mapped[str] = mapped_column(Text)
    service: Mapped[str | None] = mapped_column(String(64))
    hook_instance: Mapped[str | None] = mapped_column(Text)
    key_id: Mapped[str | None] = mapped_column(String(16))
    patient_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    user_hash: Mapped[str | None] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(Integer)
    answered: Mapped[dict[str, object]] = mapped_column(JSON)
    knowledge_version: Mapped[str | None] = mapped_column(Text)
