"""What every answer of a CDS service must look like: the RESP, CARD, LINK, ACT, SYS, JSON and EXT rows of the protocol.

Call `assert_response_conforms` on any answer that any test produces. Each failure begins with the row's id.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt

UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
REVERSE_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
EMPTY_ALLOWED = {"$.cards", "$.services"}
CARD_MEMBERS = {
    "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons", "links",
    "extension",
}  # fmt: skip
SUGGESTION_MEMBERS = {"label", "uuid", "isRecommended", "actions", "extension"}
ACTION_MEMBERS = {"type", "description", "resource", "resourceId", "extension"}
LINK_MEMBERS = {"label", "url", "type", "appContext", "autolaunchable", "extension"}
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")


def assert_response_conforms(body: Any, patient_id: str | None = None) -> None:
    """Check a 200 answer of a service that offers feedback and sends no system actions.

    Args:
        body: the decoded JSON.
        patient_id: when given, proposed resources must be about this patient (ACT-6).
    """
    assert isinstance(body, dict), "RESP-1: the answer is an object"
    assert isinstance(body.get("cards"), list), "RESP-1: with an array of cards"
    assert set(body) <= {"cards", "extension"}, f"RESP-4, SYS-2: undefined members {set(body)}"
    assert_no_null_or_empty(body)
    _assert_extension(body)
    uuids: list[str] = []
    for card in body["cards"]:
        uuids += _assert_card(card, patient_id)
    assert len(set(uuids)) == len(uuids), "CARD-13: ids are unique within an answer"


def assert_no_null_or_empty(body: Any) -> None:
    """JSON-2 and JSON-3, for any body the service sends."""
    for path, value in _walk(body, "$"):
        assert value is not None, f"JSON-2: {path} is null"
        assert value not in ("", [], {}) or path in EMPTY_ALLOWED, f"JSON-3: {path} is empty"


def assert_operation_outcome(body: Any) -> None:
    """ERR-4 and JSON-4, for the body of any refusal."""
    assert isinstance(body, dict)
    assert body.get("resourceType") == "OperationOutcome", "ERR-2: a refusal is an OperationOutcome"
    assert body.get("issue"), "ERR-4: with at least one issue"
    for issue in body["issue"]:
        assert issue["severity"] in {"fatal", "error", "warning", "information"}, "ERR-4: severity"
        assert issue["code"] in ISSUE_TYPES, "ERR-4: code"
    assert_no_null_or_empty(body)


ISSUE_TYPES = {
    "invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired", "forbidden",
    "suppressed", "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long",
    "code-invalid", "extension", "too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store",
    "exception", "timeout", "incomplete", "throttled", "informational",
}  # fmt: skip
"""The FHIR R4 value set issue-type."""


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, value
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _walk(member, f"{path}.{name}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}[{index}]")


def _assert_card(card: Mapping[str, Any], patient_id: str | None) -> list[str]:
    assert set(card) <= CARD_MEMBERS, f"CARD-23: undefined members {set(card) - CARD_MEMBERS}"
    _assert_summary(card.get("summary"))
    assert card.get("indicator") in {"info", "warning", "critical"}, "CARD-4: indicator"
    _assert_source(card.get("source"))
    if "detail" in card:
        _assert_detail(card["detail"])
    assert UUID.fullmatch(card.get("uuid", "")), "CARD-12, CARD-15: a card has a UUID"
    for reason in card.get("overrideReasons", []):
        _assert_coding(reason, "CARD-22")
    for link in card.get("links", []):
        _assert_link(link)
    _assert_extension(card)
    return [card["uuid"], *_assert_suggestions(card, patient_id)]


def _assert_summary(summary: Any) -> None:
    assert isinstance(summary, str), "CARD-1: summary is a string"
    assert summary.strip(), "CARD-1: summary is not blank"
    assert len(summary.encode("utf-16-le")) // 2 < 140, "CARD-2: summary is shorter than 140 characters"
    assert len(summary.splitlines()) == 1, "CARD-3: summary is one line"
    assert not re.search(r"<[a-zA-Z/!]", summary), "CARD-3: summary has no markup"


def _assert_source(source: Any) -> None:
    assert isinstance(source, dict), "CARD-5: source is an object"
    assert set(source) <= {"label", "url", "icon", "topic", "extension"}, "CARD-23: members of source"
    assert isinstance(source.get("label"), str), "CARD-6: source.label"
    for member in {"url", "icon"} & set(source):
        _assert_url(source[member], "CARD-7, CARD-8")
    if "topic" in source:
        _assert_coding(source["topic"], "CARD-9", display=False)


def _assert_detail(detail: Any) -> None:
    assert isinstance(detail, str), "CARD-10: detail is a string"
    for token in MARKDOWN.parse(detail):
        for part in [token, *(token.children or [])]:
            assert part.type not in {"html_block", "html_inline"}, f"CARD-11, SAFE-1: HTML in detail: {part.content}"
            if part.type == "link_open":
                _assert_url(str(part.attrs["href"]), "CARD-11: a link in detail")


def _assert_suggestions(card: Mapping[str, Any], patient_id: str | None) -> list[str]:
    suggestions = card.get("suggestions", [])
    assert ("selectionBehavior" in card) == bool(suggestions), "CARD-17: selectionBehavior goes with suggestions"
    behavior = card.get("selectionBehavior", "any")
    assert behavior in {"at-most-one", "any"}, "CARD-18: selectionBehavior"
    recommended = [suggestion for suggestion in suggestions if suggestion.get("isRecommended")]
    assert behavior == "any" or len(recommended) <= 1, "CARD-19: one recommendation under at-most-one"
    for suggestion in suggestions:
        assert set(suggestion) <= SUGGESTION_MEMBERS, "CARD-21, CARD-23: members of a suggestion"
        assert isinstance(suggestion.get("label"), str), "CARD-16: a suggestion has a label"
        assert isinstance(suggestion.get("isRecommended", True), bool), "CARD-19: isRecommended is boolean"
        assert UUID.fullmatch(suggestion.get("uuid", "")), "CARD-20, CARD-25: a suggestion has a UUID"
        for action in suggestion.get("actions", []):
            _assert_action(action, patient_id)
    return [suggestion["uuid"] for suggestion in suggestions]


def _assert_action(action: Mapping[str, Any], patient_id: str | None) -> None:
    assert set(action) <= ACTION_MEMBERS, "CARD-23: members of an action"
    assert action.get("type") in {"create", "update", "delete"}, "ACT-1: type"
    assert isinstance(action.get("description"), str), "ACT-2: description"
    if action["type"] == "delete":
        assert re.fullmatch(r"[A-Za-z]+/[A-Za-z0-9.\-]{1,64}", action.get("resourceId", "")), "ACT-5: resourceId"
        assert "resource" not in action, "ACT-5: no resource"
        return
    resource = action.get("resource")
    assert isinstance(resource, dict), "ACT-3, ACT-4: a whole resource"
    assert isinstance(resource.get("resourceType"), str), "ACT-3, ACT-4, JSON-4: with its type"
    assert ("id" in resource) == (action["type"] == "update"), "ACT-3, ACT-4: an id on update only"
    if patient_id is not None:
        about = resource.get("subject") or resource.get("patient") or {}
        assert about.get("reference") == f"Patient/{patient_id}", "ACT-6: about the patient in context"


def _assert_link(link: Mapping[str, Any]) -> None:
    assert set(link) <= LINK_MEMBERS, "CARD-23: members of a link"
    assert isinstance(link.get("label"), str), "LINK-1: label"
    _assert_url(link.get("url"), "LINK-2")
    assert link.get("type") in {"absolute", "smart"}, "LINK-3: type"
    assert "appContext" not in link or link["type"] == "smart", "LINK-4: appContext on smart links only"
    assert isinstance(link.get("autolaunchable", True), bool), "LINK-5: autolaunchable is boolean"


def _assert_coding(coding: Any, row: str, display: bool = True) -> None:
    assert isinstance(coding, dict), f"{row}: a Coding is an object"
    for member in ("code", "system", *(["display"] if display else [])):
        assert isinstance(coding.get(member), str), f"{row}: a Coding has a {member}"


def _assert_url(url: Any, row: str) -> None:
    assert isinstance(url, str), f"{row}: a URL is a string"
    parts = urlsplit(url)
    assert parts.scheme in {"http", "https"}, f"{row}: an http(s) URL"
    assert parts.hostname, f"{row}: an absolute URL"
    loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    assert parts.scheme == "https" or loopback, "LINK-6: links use https"


def _assert_extension(owner: Mapping[str, Any]) -> None:
    if "extension" not in owner:
        return
    extension = owner["extension"]
    assert isinstance(extension, dict), "EXT-1: an extension is an object"
    for name in extension:
        assert REVERSE_DOMAIN.fullmatch(name), f"EXT-2: {name} is no globally unique name"


def card_ids(bodies: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of all cards in these answers (CARD-14: none is used for two hook instances)."""
    return [card["uuid"] for body in bodies for card in body["cards"]]
