"""Issued cards beside the feedback about them, read as a stream. Joins and sorts; knows not what it means."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, select

from cds_service.cds_hooks.clients import CdsClient
from cds_service.feedback_summary.observed import Comment, Mode, ObservedCard, Period, Report, UncountedReports
from cds_service.records.database import Database
from cds_service.records.tables import FEEDBACK, ISSUED_CARDS

_ROWS_AT_ONCE = 2000
_SAME_CARD = and_(
    FEEDBACK.c.card == ISSUED_CARDS.c.card,
    FEEDBACK.c.issuer == ISSUED_CARDS.c.issuer,
    FEEDBACK.c.tenant == ISSUED_CARDS.c.tenant,
)
_CARD_COLUMNS = tuple(
    ISSUED_CARDS.c[name]
    for name in ("id", "issuer", "tenant", "finding", "indicator", "fingerprint", "issued_at", "shown", "quieted_by")
)
_REPORT_COLUMNS = tuple(
    FEEDBACK.c[name] for name in ("outcome", "outcome_timestamp", "received_at", "reason_code", "reason_system")
)


class ObservedCards:
    """What became of the cards, in a database that `migrate` has made. All of it is one consistent view each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, period: Period) -> int:
        """How many cards `stream` gives, for whoever shows progress. Raises StoreUnavailable."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(ISSUED_CARDS).where(*_cards_of(period))) or 0

    def stream(self, period: Period) -> Iterator[ObservedCard]:
        """The cards with their reports, read as they are asked for: those of one client and fingerprint follow each
        other, the earliest first; the reports in the order they came.

        Raises:
            StoreUnavailable: the database can't be read.
        """
        together = (
            ISSUED_CARDS.c.issuer,
            ISSUED_CARDS.c.tenant,
            ISSUED_CARDS.c.fingerprint,
            ISSUED_CARDS.c.issued_at,
            ISSUED_CARDS.c.id,
        )
        commented = FEEDBACK.c.user_comment.is_not(None).label("commented")
        wanted = (
            select(*_CARD_COLUMNS, *_REPORT_COLUMNS, commented)
            .select_from(ISSUED_CARDS.outerjoin(FEEDBACK, _SAME_CARD))
            .where(*_cards_of(period))
            .order_by(*together, FEEDBACK.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(wanted)
            for _, of_card in groupby(rows, key=lambda row: row[0]):
                yield _observed(list(of_card), period.mode)

    def uncounted(self, period: Period) -> UncountedReports:
        """How many reports, by when they came, are about no card that is kept. Raises StoreUnavailable."""
        wanted = (
            select(FEEDBACK.c.foreign_card, func.count())
            .select_from(FEEDBACK.outerjoin(ISSUED_CARDS, _SAME_CARD))
            .where(ISSUED_CARDS.c.id.is_(None), *_reports_of(period))
            .group_by(FEEDBACK.c.foreign_card)
        )
        with self._database.reading() as connection:
            found: dict[bool | None, int] = dict(tuple(row) for row in connection.execute(wanted))
        return UncountedReports(found.get(True, 0), found.get(False, 0), found.get(None, 0))

    def comments(self, period: Period, newest: int) -> tuple[Comment, ...]:
        """The newest free texts about any card, by when they came. Raises StoreUnavailable."""
        wanted = (
            select(FEEDBACK, ISSUED_CARDS.c.finding, ISSUED_CARDS.c.indicator)
            .select_from(FEEDBACK.outerjoin(ISSUED_CARDS, _SAME_CARD))
            .where(FEEDBACK.c.user_comment.is_not(None), *_reports_of(period))
            .order_by(FEEDBACK.c.id.desc())
            .limit(newest)
        )
        with self._database.reading() as connection:
            return tuple(_comment(row) for row in connection.execute(wanted))


def _cards_of(period: Period) -> Sequence[ColumnElement[bool]]:
    return [ISSUED_CARDS.c.mode == period.mode, *_within(period, ISSUED_CARDS.c.issued_at, ISSUED_CARDS.c.issuer)]


def _reports_of(period: Period) -> Sequence[ColumnElement[bool]]:
    return _within(period, FEEDBACK.c.received_at, FEEDBACK.c.issuer)


def _within(period: Period, moment: ColumnElement[datetime], issuer: ColumnElement[str]) -> list[ColumnElement[bool]]:
    since = [moment >= period.since] if period.since else []
    until = [moment < period.until] if period.until else []
    return [*since, *until, *([issuer == period.issuer] if period.issuer is not None else [])]


def _observed(rows: Sequence[Any], mode: Mode) -> ObservedCard:
    card = rows[0]
    return ObservedCard(
        client=_client(card),
        finding=card.finding,
        indicator=card.indicator,
        fingerprint=card.fingerprint,
        issued_at=card.issued_at,
        shown=card.shown if mode == "live" else card.quieted_by is None,
        quieted_by=card.quieted_by,
        # nobody saw a silent card, so a report that names one tells nothing of it
        reports=() if mode == "silent" else tuple(_report(row) for row in rows if row.outcome is not None),
    )


def _report(row: Row[Any]) -> Report:
    return Report(row.outcome, row.outcome_timestamp, row.received_at, _reason(row), bool(row.commented))


def _comment(row: Row[Any]) -> Comment:
    return Comment(
        text=row.user_comment,
        received_at=row.received_at,
        client=_client(row),
        card=row.card,
        outcome=row.outcome,
        finding=row.finding,
        indicator=row.indicator,
        reason=_reason(row),
    )


def _reason(row: Row[Any]) -> tuple[str, str] | None:
    return None if row.reason_code is None else (row.reason_system, row.reason_code)


def _client(row: Row[Any]) -> CdsClient:
    return CdsClient(row.issuer or None, row.tenant or None)
