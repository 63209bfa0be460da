"""Putting Bundles of synthetic patients on any FHIR server. Knows no terminal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import orjson

from cds_service.outbound.errors import CallFailed, ServerFailed
from cds_service.outbound.plain import JsonAnswer, post_json, put_json
from cds_service.sandbox.date_shift import shift_dates
from cds_service.sandbox.ehr import outcome_text
from cds_service.sandbox.fhir_server.transaction import as_updates
from cds_service.sandbox.fixtures import fixture_folder, load_index

_LOAD_SECONDS = 60.0
_NOT_ALLOWED = (401, 403)


class LoadError(Exception):
    """Something couldn't be loaded; the message is one line that names the file."""


@dataclass(frozen=True)
class Loadable:
    """One Bundle ready to load: the file's name, and the Bundle dated to today where the index says by how much."""

    name: str
    bundle: Mapping[str, object]


def shipped_bundles(today: date) -> Iterator[Loadable]:
    """Every synthetic patient shipped, dated so that results are recent.

    Raises:
        cds_service.sandbox.fixtures.FixturesMissing: when they can't be read.
    """
    for patient, bundle in load_index(fixture_folder()).bundles(today):
        yield Loadable(patient.file.name, bundle)


def bundles_of(paths: tuple[Path, ...], today: date) -> Iterator[Loadable]:
    """The Bundles of the named files, and of every *.json in the named folders.

    Raises:
        LoadError: when a file isn't a JSON Bundle.
    """
    for path in [file for given in paths for file in (sorted(given.glob("*.json")) if given.is_dir() else [given])]:
        try:
            bundle = orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError) as error:
            raise LoadError(f"{path.name} can't be read as JSON.") from error
        if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
            raise LoadError(f"{path.name} is no FHIR Bundle.")
        yield Loadable(path.name, shift_dates(bundle, _days(path, today)))


def _days(path: Path, today: date) -> int:
    """By how many days a fixture is dated back: told by the index.json beside or above it, else none."""
    for folder in (path.parent, path.parent.parent):
        try:
            index = orjson.loads((folder / "index.json").read_bytes())
            return (today - date.fromisoformat(index["referenceDay"])).days
        except (OSError, KeyError, TypeError, ValueError):
            continue
    return 0


def load_bundle(loadable: Loadable, fhir_server: str, access_token: str | None = None) -> int:
    """Load one Bundle as a transaction, resource by resource where the server takes none; returns how many resources.

    Raises:
        LoadError: server not reachable, or a resource refused.
    """
    headers = {"Content-Type": "application/fhir+json"}
    headers |= {"Authorization": f"Bearer {access_token}"} if access_token else {}
    try:
        if not _as_transaction(loadable, fhir_server, headers):
            _one_by_one(loadable, fhir_server, headers)
    except CallFailed as error:
        raise LoadError(
            f"The FHIR server at {fhir_server} can't be called ({error.reason}). "
            "Is it running, and is this its base URL?"
        ) from error
    return len(as_updates(loadable.bundle))


def _as_transaction(loadable: Loadable, fhir_server: str, headers: Mapping[str, str]) -> bool:
    """Whether the server took it; False where it may still take the resources one by one."""
    try:
        answer = post_json(fhir_server, loadable.bundle, headers, _LOAD_SECONDS)
    except ServerFailed:  # an answer, but no FHIR: nothing takes Bundles there
        return False
    if answer.status in _NOT_ALLOWED:
        raise _refused(loadable, answer)
    return 200 <= answer.status < 300


def _one_by_one(loadable: Loadable, fhir_server: str, headers: Mapping[str, str]) -> None:
    for url, resource in as_updates(loadable.bundle):
        answer = put_json(f"{fhir_server}/{url}", resource, headers, _LOAD_SECONDS)
        if not 200 <= answer.status < 300:
            raise _refused(loadable, answer, url)


def _refused(loadable: Loadable, answer: JsonAnswer, url: str = "") -> LoadError:
    where = f"{loadable.name}, {url}" if url else loadable.name
    return LoadError(f"{where}: the FHIR server answered {answer.status}: {outcome_text(answer.document)}")
