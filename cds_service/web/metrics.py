"""Counts for Prometheus, on a listener of their own and summed over the server's processes. No patient data.

Where PROMETHEUS_MULTIPROC_DIR is set before this module is first imported, each process keeps its counts in that
directory and the listener of the first one tells the sum; else they are kept, and told, by one process.
"""

import os

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from cds_service.web.request_log import CallRecord

CALLS = Counter("cds_calls", "Calls answered.", ["endpoint", "status", "tenant"])
CARDS = Counter("cds_cards", "Cards given.", ["indicator", "tenant"])
VERDICTS = Counter("cds_verdicts", "Findings judged.", ["finding", "verdict", "tenant"])
UNLIMITED = Counter("cds_rate_limit_unknown", "Calls let in because the limit's store did not answer.")
LOST = Counter("cds_audit_lost", "Calls answered whose entry in the audit trail could not be written.")
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
    if record.rate_limit:
        UNLIMITED.inc()
    if record.facts is None:
        return
    for finding, verdict in record.facts.verdicts.items():
        VERDICTS.labels(finding, verdict, tenant).inc()
    if record.facts.indicator:
        CARDS.labels(record.facts.indicator, tenant).inc()


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
