"""One structured log line a call, as JSON on standard error. No patient data, no token, no text of the caller."""

import logging
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TextIO

import orjson
import structlog
from flask import Flask, Response, g, request
from structlog.typing import EventDict, FilteringBoundLogger

from cds_service.call_phases import Listener, Phase
from cds_service.cds_hooks.clients import ANYONE, CdsClient
from cds_service.cds_hooks.request import PatientViewContext
from cds_service.services.registry import CallFacts

SMART_APP = "smart-app"
"""What a record names as its service where a chart is opened in the app, not by a hook."""


@dataclass
class CallRecord:
    """What is told of one call once it is answered; filled by the routes on the way.

    `received_at` is the call's `as_of`. `about` names patient and user for the audit trail: it is never written here.
    """

    received_at: datetime
    endpoint: str
    started: float = field(default_factory=time.perf_counter)
    client: CdsClient = ANYONE
    service: str | None = None
    hook_instance: str | None = None
    facts: CallFacts | None = None
    feedback_entries: int | None = None
    feedback_told: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """How many entries were news, by outcome and our name of the reason."""
    refused: str | None = None
    refusal_reason: str | None = None
    rate_limit: str | None = None
    about: PatientViewContext | None = field(default=None, repr=False)
    audit: str | None = None
    status: int = 0
    seconds: float = 0.0


def current_call() -> CallRecord:
    """The record of the call being answered."""
    record: CallRecord = g.call_record
    return record


def record_calls(
    app: Flask,
    clock: Callable[[], datetime],
    observers: tuple[Callable[[CallRecord], None], ...],
    listeners: tuple[Listener, ...] = (),
) -> None:
    """Open a record before each call and tell the observers of it afterwards; listeners hear of its phases."""

    @app.before_request
    def open_record() -> None:
        g.call_record = CallRecord(received_at=clock(), endpoint=request.endpoint or "none")
        g.call_phase = Phase.of_call(listeners, request.environ.get("HTTP_TRACEPARENT", ""))
        g.call_phase.begin()

    @app.after_request
    def close_record(response: Response) -> Response:
        record = current_call()
        record.status = response.status_code
        record.seconds = time.perf_counter() - record.started
        for observe in observers:
            _tell(observe, record)
        whole: Phase = g.call_phase
        whole.about, whole.outcome = record.endpoint, str(record.status)
        whole.end(failed=record.status >= 500)
        return response


def _tell(observe: Callable[[CallRecord], None], record: CallRecord) -> None:
    try:
        observe(record)
    except Exception as error:  # whatever it is, it must not cost anyone the answer
        write_line("error", "observer-failed", {"error": type(error).__name__})


def log_call(record: CallRecord) -> None:
    """Write the line; probes of a working service are not worth one."""
    if record.endpoint in {"livez", "readyz"} and record.status < 400:
        return
    write_line("error" if record.status >= 500 else "info", "call", describe_call(record))


def describe_call(record: CallRecord) -> dict[str, object]:
    """The members of the line; those without a value are None."""
    line: dict[str, object] = {
        "time": record.received_at.isoformat(),
        "endpoint": record.endpoint,
        "client": record.client.issuer,
        "tenant": record.client.tenant,
        "service": record.service,
        "hookInstance": record.hook_instance,
        "status": record.status,
        "ms": round(record.seconds * 1000, 1),
        "refused": record.refused,
        "refusalReason": record.refusal_reason,
        "rateLimit": record.rate_limit,
        "audit": record.audit,
        "feedbackEntries": record.feedback_entries,
    }
    if record.facts is not None:
        line |= _describe_facts(record.facts)
    return line


def _describe_facts(facts: CallFacts) -> dict[str, object]:
    return {
        "verdicts": dict(facts.verdicts) or None,
        "indicator": facts.indicator,
        "finding": facts.finding,
        "quietedBy": facts.quieted_by,
        "withheld": facts.withheld,
        "memory": None if facts.memory_available else "unavailable",
        "cards": facts.card_ids or None,
        "knowledgeVersion": facts.knowledge_version,
        "fetchedMs": dict(facts.fetched) or None,
        "notAvailable": facts.not_available or None,
        "setAside": dict(facts.set_aside or {}) or None,
    }


def log_lost_rows(fate: str, kind: str, number: int) -> None:
    """Say what was lost of rows whose calls were answered, and logged, long ago."""
    if fate == "lost-behind":
        write_line("error", "records-lost", {"kind": kind, "rows": number})


def write_line(level: str, event: str, members: Mapping[str, object]) -> None:
    """Write one line; a log that can't be written must not cost anyone the answer."""
    told = {name: value for name, value in members.items() if value is not None}
    with suppress(OSError, ValueError):
        getattr(_logger(sys.stderr), level)(event, **told)


@lru_cache(1)
def _logger(_: TextIO) -> FilteringBoundLogger:
    """Made once for what is standard error now: to make one takes as long as to write a line."""
    logger: FilteringBoundLogger = structlog.get_logger().bind()
    return logger


def _with_time(_: object, __: str, line: EventDict) -> EventDict:
    """A call's time is when it came; any other line's, when it is written."""
    return line if "time" in line else {"time": datetime.now(UTC).isoformat(), **line}


def configure_logging(level: str) -> None:
    """Log JSON lines to standard error, from this level on (debug, info, warning, error)."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            _with_time,
            structlog.processors.JSONRenderer(serializer=lambda line, **_: orjson.dumps(line).decode()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
    )
    _logger.cache_clear()
