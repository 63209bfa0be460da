"""What is counted of calls, read from this process's registry as Prometheus would be told it."""

from prometheus_client import REGISTRY


def counted(name: str, **labels: str) -> float:
    """The value of one series so far; 0 where there is none."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def series() -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Every series of ours by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items())))
        for metric in REGISTRY.collect()
        if metric.name.startswith("cds_")
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }
