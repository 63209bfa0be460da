"""From the settings to a server that runs: everything is checked first, then processes are started."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from flask import Flask

from cds_service.app import create_app
from cds_service.composition.options import with_keys_of_this_run
from cds_service.composition.parts import Parts
from cds_service.composition.records import open_records
from cds_service.composition.traces import trace_listeners
from cds_service.serving.generations import Generations
from cds_service.settings import Settings
from cds_service.web.master import Operation
from cds_service.web.metrics import PhaseCounts, count_call, count_rows, tell_reload, tell_versions
from cds_service.web.metrics_listener import forget_process, listen_for_metrics
from cds_service.web.request_log import log_call
from cds_service.web.server import Listen, run_server
from cds_service.web.shared_flag import SharedFlag


def prepare_server(settings: Settings, folder: Path) -> Callable[[Listen, Callable[[str], None]], None]:
    """Check the settings and the site's files, bring the database to this version, and listen for metrics.

    Args:
        settings: the environment's.
        folder: this run's own.

    Returns:
        What serves until it is stopped, and ends the process: call it with where to listen, and what is told the URL.

    Raises:
        cds_service.knowledge.strict_files.KnowledgeError: the knowledge can't be used.
        cds_service.cds_hooks.errors.StoreUnavailable: the database can't be opened.
        ValueError: a setting or a file that it names can't be used.
    """
    draining = SharedFlag()

    def make_app(settings: Settings, parts: Parts) -> Flask:
        tell_versions(parts.versions)
        parts = replace(parts, draining=draining.is_up)
        listeners = (PhaseCounts(), *trace_listeners(settings, parts.versions))
        return create_app(settings, parts=parts, observers=(log_call, count_call), listeners=listeners)

    generations = Generations(with_keys_of_this_run(settings), open_records(settings, count_rows), folder, make_app)
    first = generations.check()
    if settings.metrics_bind != "off":
        listen_for_metrics(settings.metrics_bind)
    operation = Operation(generations.check_again, forget_process, draining, settings.drain_seconds, tell_reload)
    return lambda listen, ready: run_server(first, operation, listen, ready)
