"""Traces of calls, where the site wants them. OpenTelemetry is an extra, and imported for nobody else."""

from collections.abc import Mapping

from cds_service.call_phases import Listener
from cds_service.settings import Settings


def check_traces(settings: Settings) -> None:
    """Nothing, if traces can be made as the settings want them.

    Raises:
        ValueError: a collector is named, and the extra isn't installed.
    """
    if settings.otlp_endpoint is None:
        return
    try:
        import cds_service.tracing  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise ValueError(
            "CDS_OTLP_ENDPOINT: needs the extra otel: pip install 'cytopenia-cds[otel]', or leave it unset."
        ) from None


def trace_listeners(settings: Settings, versions: Mapping[str, str]) -> tuple[Listener, ...]:
    """What makes a trace of each call; nothing where no collector is named.

    Raises:
        ValueError: a collector is named, and the extra isn't installed.
    """
    if settings.otlp_endpoint is None:
        return ()
    check_traces(settings)
    from cds_service.tracing import SpanListener, sent_to  # noqa: PLC0415 - an extra

    return (SpanListener(sent_to(settings.otlp_endpoint), versions),)
