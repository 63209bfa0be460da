"""The tables of the feedback store, and the steps that bring an older database to them. Knows no protocol."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import JSON, Connection, DateTime, Dialect, Integer, MetaData, String, Text
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
    """All tables of this store."""

    metadata = MetaData()


class SchemaVersion(Base):
    """One row: how many of the steps below this database has been through."""

    __tablename__ = "schema_version"

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)


class FeedbackRow(Base):
    """One report about one card. The same report sent again has the same digest, and so is no second row.

    `user_comment` is a clinician's free text: it may hold patient data and is never logged.
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
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


def _create_first_tables(connection: Connection) -> None:
    Base.metadata.create_all(connection, tables=[FeedbackRow.metadata.tables["feedback"]])


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_create_first_tables,)
"""Step N brings a database from version N to N + 1. A step is never changed once released."""
