"""Counts for Prometheus, on a listener of their own and summed over the server's processes. No patient data.

Where PROMETHEUS_MULTIPROC_DIR is set before this module is first imported, each process keeps its counts in that
directory and the listener of the first one tells the sum; else they are kept, and told, by one process.
"""

import os

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from cds_service.services.registry import CallFacts
from cds_service.web.request_log import SMART_APP, CallRecord

CALLS = Counter("cds_calls", "Calls answered.", ["endpoint", "status", "tenant"])
CARDS = Counter("cds_cards", "Cards shown.", ["finding", "indicator", "tenant"])
QUIETED = Counter("cds_cards_quieted", "Cards kept quiet by feedback.", ["finding", "by", "tenant"])
FEEDBACK = Counter("cds_feedback", "Outcomes reported, each once.", ["outcome", "reason", "tenant"])
VERDICTS = Counter("cds_verdicts", "Findings judged.", ["finding", "verdict", "tenant"])
UNLIMITED = Counter("cds_rate_limit_unknown", "Calls let in because the limit's store did not answer.")
LOST = Counter("cds_audit_lost", "Calls answered whose entry in the audit trail could not be written.")
REFUSED_CLIENTS = Counter("cds_clients_refused", "Calls that proved no trusted client.", ["reason"])
SECONDS = Histogram(
    "cds_call_seconds",
    "Time from a call's arrival to its answer.",
    ["endpoint", "tenant"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)


def count_call(record: CallRecord) -> None:
    """Count one finished call, under the tenant of the client that was proven."""
    tenant = record.client.tenant or ""
    CALLS.labels(record.endpoint, f"{record.status // 100}xx", tenant).inc()
    SECONDS.labels(record.endpoint, tenant).observe(record.seconds)
    if record.audit == "lost":
        LOST.inc()
    if record.refusal_reason:
        REFUSED_CLIENTS.labels(record.refusal_reason).inc()
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


def listen_for_metrics(bind: str) -> None:
    """Serve `/metrics` in a thread of this process.

    Args:
        bind: host:port.

    Raises:
        ValueError: the address can't be listened on.
    """
    host, _, port = bind.rpartition(":")
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    try:
        start_http_server(int(port), host.strip("[]"), registry)
    except OSError:
        raise ValueError("CDS_METRICS_BIND: this address can't be listened on; choose another one, or off.") from None
