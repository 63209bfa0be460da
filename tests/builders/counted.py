"""What is counted of calls, read from this process's registry as Prometheus would be told it."""

from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

from cds_service.web import metrics


def counted(name: str, **labels: str) -> float:
    """The value of one series so far; 0 where there is none."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def metric_names() -> set[str]:
    """The names by which Prometheus may ask for what is kept."""
    kept = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    names = {f"{one._name}_total" if isinstance(one, Counter) else one._name for one in kept}
    timed = {one._name for one in kept if isinstance(one, Histogram)}
    return names | {f"{name}_{part}" for name in timed for part in ("bucket", "sum", "count")}


def series() -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Every series of ours by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items())))
        for metric in REGISTRY.collect()
        if metric.name.startswith("cds_")
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }
