"""A FHIR server as the statements see it: plain HTTP with nothing of the service in between, and what was loaded."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import requests

from cds_service.sandbox.fixtures import fixture_folder, load_index

_SECONDS = 30.0
_PAGES_AT_MOST = 50

Resource = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """What came back. `document` is None where the body is no JSON."""

    status: int
    media_type: str
    document: Any
    text: str
    encoding: str = ""

    @property
    def entries(self) -> Sequence[Mapping[str, Any]]:
        """The matches of a searchset; remarks left out."""
        assert self.status == 200, f"answered {self.status}"
        assert self.document["resourceType"] == "Bundle"
        entries = self.document.get("entry") or []
        return [entry for entry in entries if entry["resource"]["resourceType"] != "OperationOutcome"]

    @property
    def ids(self) -> set[str]:
        """The ids of the matches on this page."""
        return {entry["resource"]["id"] for entry in self.entries}

    @property
    def next_url(self) -> str | None:
        """Where the next page is."""
        links = self.document.get("link") or []
        return next((link["url"] for link in links if link["relation"] == "next"), None)

    @property
    def refused(self) -> bool:
        """Whether the server said, as FHIR has it, that it can't do this."""
        return 400 <= self.status < 500 and self.document.get("resourceType") == "OperationOutcome"


@dataclass(frozen=True)
class FhirUnderTest:
    """One FHIR server with the synthetic patients on it. `name` is that of the table of known differences."""

    name: str
    base: str
    token: str | None = field(default=None, repr=False)

    def get(self, query: str, **headers: str) -> Answer:
        """GET below the base, or any absolute URL within it."""
        url = query if query.startswith(("http://", "https://")) else f"{self.base}/{query}"
        return self._answer("GET", url, None, headers)

    def post_search(self, query: str) -> Answer:
        """The same search as a form."""
        resource_type, _, form = query.partition("?")
        form_type = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._answer("POST", f"{self.base}/{resource_type}/_search", form, form_type)

    def pages(self, query: str) -> Iterator[Answer]:
        """Every page, by next links."""
        url: str | None = query
        for _ in range(_PAGES_AT_MOST):
            page = self.get(url or "")
            yield page
            url = page.next_url
            if url is None:
                return
        raise AssertionError("the next links never end")

    def found(self, query: str) -> set[str]:
        """The ids of every match."""
        return set().union(*(page.ids for page in self.pages(query)))

    def _answer(self, method: str, url: str, body: str | None, headers: Mapping[str, str]) -> Answer:
        sent = {"Accept": "application/fhir+json", "Accept-Encoding": "identity"} | dict(headers)
        sent |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        with requests.Session() as session:
            session.trust_env = False
            got = session.request(method, url, data=body, headers=sent, timeout=_SECONDS, allow_redirects=False)
        try:
            document = json.loads(got.text)
        except ValueError:
            document = None
        media_type = got.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Answer(got.status_code, media_type, document, got.text, got.headers.get("Content-Encoding", ""))


@cache
def loaded(patient: str) -> Sequence[Resource]:
    """What `cds-service load` puts on a server for one patient, dated as in the files."""
    index = load_index(fixture_folder())
    bundles = index.bundles(index.reference_day)
    bundle: Mapping[str, Any] = next(bundle for fixture, bundle in bundles if fixture.id == patient)
    return [entry["resource"] for entry in bundle["entry"]]


def loaded_ids(patient: str, resource_type: str) -> set[str]:
    """The ids of a patient's resources of one type."""
    return {resource["id"] for resource in loaded(patient) if resource["resourceType"] == resource_type}


def coded_ids(patient: str, *tokens: str, within: str = "code") -> set[str]:
    """The ids of a patient's Observations that carry one of the tokens (`system|code`), themselves or in components."""
    return {
        resource["id"]
        for resource in loaded(patient)
        if resource["resourceType"] == "Observation" and set(tokens) & set(_tokens(resource, within))
    }


def day_of(resource: Resource) -> date:
    """The day of an Observation's effective time, as written."""
    return date.fromisoformat(resource["effectiveDateTime"][:10])


def _tokens(observation: Resource, within: str) -> Iterator[str]:
    holders = [observation] if within == "code" else observation.get("component", [])
    for holder in holders:
        for coding in holder["code"].get("coding", []):
            yield f"{coding.get('system', '')}|{coding.get('code', '')}"
