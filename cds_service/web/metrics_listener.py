"""Tells the counts to Prometheus, on a listener of their own and summed over the server's processes."""

import os

from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead


def forget_process(process: int) -> None:
    """Drop what a process that has ended told of its state; its counts stay in the sum."""
    mark_process_dead(process)  # type: ignore[no-untyped-call]


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
