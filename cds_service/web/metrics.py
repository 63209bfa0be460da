"""What is counted for Prometheus, and how a finished call is counted. No patient data; every label's values are few.

Where PROMETHEUS_MULTIPROC_DIR is set before this module is first imported, each process keeps its counts in that
directory, and `metrics_listener` tells the sum. docs/operations/metrics.md explains each.
"""

import time
from collections.abc import Mapping
from typing import get_args

from prometheus_client import Counter, Gauge, Histogram

from cds_service.call_phases import Name, Phase
from cds_service.services.registry import CallFacts
from cds_service.web.request_log import SMART_APP, CallRecord

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_PHASE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

CALLS = Counter("cds_calls", "Calls answered.", ["endpoint", "status", "tenant"])
CALL_SECONDS = Histogram(
    "cds_call_seconds", "Time from a call's arrival to its answer.", ["endpoint", "tenant"], buckets=_SECONDS
)
PHASE_SECONDS = Histogram("cds_phase_seconds", "Time in one room of a call.", ["phase"], buckets=_PHASE_SECONDS)
REFUSED = Counter("cds_calls_refused", "Calls refused, by class and reason.", ["refused", "reason", "tenant"])
VERDICTS = Counter("cds_verdicts", "Findings judged.", ["finding", "verdict", "tenant"])
CARDS = Counter("cds_cards", "Cards shown.", ["finding", "indicator", "tenant"])
QUIETED = Counter("cds_cards_quieted", "Cards kept quiet by feedback.", ["finding", "by", "tenant"])
WITHHELD = Counter("cds_cards_withheld", "Cards that were for nobody.", ["finding", "by", "tenant"])
FEEDBACK = Counter("cds_feedback", "Outcomes reported, each once.", ["outcome", "reason", "tenant"])
RESULTS_USED = Counter("cds_results_used", "Counts read and usable.", ["tenant"])
SET_ASIDE = Counter("cds_results_set_aside", "Results with an analyte code that weren't used.", ["reason", "tenant"])
NOT_AVAILABLE = Counter("cds_data_not_available", "Kinds of data that calls were answered without.", ["kind", "tenant"])
FHIR_REQUESTS = Counter("cds_fhir_requests", "Requests to FHIR servers.", ["server", "outcome"])
FHIR_SECONDS = Histogram(
    "cds_fhir_request_seconds", "Time of one request to a FHIR server.", ["server"], buckets=_SECONDS
)
MEMORY_UNAVAILABLE = Counter("cds_memory_unavailable", "Cards given without memory: not asked, or not kept.")
AUDIT_LOST = Counter("cds_audit_lost", "Calls answered whose entry in the audit trail could not be written.")
ROWS = Counter("cds_records", "Cards given and audit entries: taken to be kept, written, lost.", ["kind", "fate"])
UNLIMITED = Counter("cds_rate_limit_unknown", "Calls let in because the limit's store did not answer.")
BUILD = Gauge("cds_build_info", "1, with the versions at work.", ["software", "knowledge"], multiprocess_mode="livemax")
LOADED = Gauge(
    "cds_knowledge_loaded_timestamp_seconds", "When the knowledge was loaded (Unix time).", multiprocess_mode="livemax"
)
NOT_RELOADED = Gauge(
    "cds_last_reload_refused", "1 while the last reload asked for was not made, else 0.", multiprocess_mode="livemax"
)


class PhaseCounts:
    """Counts the phases of calls as they end, so that a request which outlives its call is counted, too."""

    def __init__(self) -> None:
        rooms = (name for name in get_args(Name) if name not in {"web", "fetching"})
        self._seconds = {name: PHASE_SECONDS.labels(name) for name in rooms}

    def begins(self, phase: Phase) -> None:
        """Nothing to do."""

    def ends(self, phase: Phase) -> None:
        """Count it; the whole call is counted by `count_call`."""
        if (seconds := self._seconds.get(phase.name)) is not None:
            seconds.observe(phase.seconds)
        elif phase.name == "fetching":
            FHIR_REQUESTS.labels(phase.server, phase.outcome).inc()
            FHIR_SECONDS.labels(phase.server).observe(phase.seconds)


def count_call(record: CallRecord) -> None:
    """Count one finished call, under the tenant of the client that was proven."""
    tenant = record.client.tenant or ""
    CALLS.labels(record.endpoint, f"{record.status // 100}xx", tenant).inc()
    CALL_SECONDS.labels(record.endpoint, tenant).observe(record.seconds)
    if record.refused:
        REFUSED.labels(record.refused, record.refusal_reason or "", tenant).inc()
    if record.audit == "lost":
        AUDIT_LOST.inc()
    if record.rate_limit:
        UNLIMITED.inc()
    for (outcome, reason), number in record.feedback_told.items():
        FEEDBACK.labels(outcome, reason, tenant).inc(number)
    if record.facts is not None and record.service != SMART_APP:
        _count_facts(record.facts, tenant)


def _count_facts(facts: CallFacts, tenant: str) -> None:
    for finding, verdict in facts.verdicts.items():
        VERDICTS.labels(finding, verdict, tenant).inc()
    if facts.indicator:
        CARDS.labels(facts.finding or "", facts.indicator, tenant).inc()
    if facts.quieted_by:
        QUIETED.labels(facts.finding or "", facts.quieted_by, tenant).inc()
    if facts.withheld:
        WITHHELD.labels(facts.finding or "", facts.withheld, tenant).inc()
    if not facts.memory_available:
        MEMORY_UNAVAILABLE.inc()
    if facts.used:
        RESULTS_USED.labels(tenant).inc(facts.used)
    for reason, number in (facts.set_aside or {}).items():
        SET_ASIDE.labels(reason, tenant).inc(number)
    for kind in facts.not_available:
        NOT_AVAILABLE.labels(kind, tenant).inc()


def tell_versions(versions: Mapping[str, str]) -> None:
    """Tell the versions that this process works with, as of now."""
    BUILD.labels(versions.get("software", ""), versions.get("knowledge", "")).set(1)
    LOADED.set(time.time())


def tell_reload(done: bool) -> None:
    """Tell what became of the last reload; the process that keeps the others tells it."""
    NOT_RELOADED.set(0 if done else 1)


def count_rows(fate: str, kind: str, number: int) -> None:
    """Count what became of rows kept behind answers; those taken and neither written nor lost wait, or were killed."""
    ROWS.labels(kind, "lost" if fate == "lost-behind" else fate).inc(number)
    if (fate, kind) == ("lost-behind", "audit"):
        AUDIT_LOST.inc(number)
