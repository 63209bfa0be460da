"""The whole sandbox in one process: CDS service, FHIR server with the synthetic patients, chart page."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from cds_service.app import build_parts, create_app
from cds_service.sandbox.authorization_server import registration_here
from cds_service.sandbox.fixtures import fixture_folder, load_index
from cds_service.sandbox.server import (
    FHIR_PATH,
    add_authorization_server,
    add_sandbox,
    filled_store,
    keep_recent,
    listening,
    serve,
)
from cds_service.settings import Settings, load_settings
from cds_service.site_knowledge import load_site_knowledge

Say = Callable[[str], object]


def run_sandbox(host: str, port: int, today: date, say: Say, ready: Say) -> None:
    """Start everything and serve until SIGTERM or SIGINT.

    Args:
        host: where to listen.
        port: 0 takes a free one.
        today: the day the synthetic results are dated to.
        say: is told of progress.
        ready: is told the URL, in one line, once the page can be opened.

    Raises:
        cds_service.sandbox.server.PortTaken: when the address can't be listened on.
        cds_service.sandbox.fixtures.FixturesMissing: when there are no synthetic patients.
        cds_service.settings.SettingsInvalid: when a setting is wrong.
        cds_service.cds_hooks.errors.StoreUnavailable: when the database that a setting names can't be opened.
    """
    with listening(host, port) as (listener, url), TemporaryDirectory(prefix="cytopenia-cds-") as folder:
        settings = sandbox_settings(url, folder, say)
        index = load_index(fixture_folder())
        store = filled_store(index, today)
        say(f"{len(index.patients)} synthetic patients loaded, dated to {today}.")
        parts = build_parts(settings)
        app = create_app(settings, parts=parts)
        parts.warm_up()
        keep_recent(app, store, today)
        add_sandbox(app, url, index, store, load_site_knowledge(settings))
        add_authorization_server(app, url, index, store)
        serve(app, listener, lambda: ready(f"Ready: {url}/ (Ctrl+C stops)"))


def sandbox_settings(url: str, folder: str, say: Say) -> Settings:
    """The environment's settings with what the sandbox needs: no login, its own FHIR server, a database to throw away.

    What the environment sets for the database or the public URL stands.
    """
    given = load_settings(auth="off")
    overrides: dict[str, object] = {"fhir_servers": (*given.fhir_servers, url + FHIR_PATH), "allow_http": True}
    if "database_url" not in given.model_fields_set:
        overrides["database_url"] = f"sqlite:///{folder}/feedback.sqlite3"
        say("Feedback is forgotten when the sandbox stops; set CDS_DATABASE_URL to keep it.")
    if "public_url" not in given.model_fields_set:
        overrides["public_url"] = url
    if given.smart_registrations is None:
        overrides["smart_registrations"] = Path(folder, "smart-registrations.toml")
        Path(folder, "smart-registrations.toml").write_text(registration_here(url), encoding="utf-8")
    return load_settings(auth="off", **overrides)
