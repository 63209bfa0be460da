"""Cards to JSON, named and shaped as on the wire (CDS Hooks 3.0, CDS Service Response). Decides nothing."""

from collections.abc import Mapping
from decimal import Decimal

import orjson

from cds_service.cds_hooks.cards import Action, Card, CdsResponse, Coding, Link, Suggestion, Whole

_SIGNS_OF_EMPTY = (b"null", b'""', b"[]", b"{}")
"""JSON that holds none of these holds no null and no empty member; JSON that does may hold them in a text only."""


def encode_response(response: CdsResponse) -> bytes:
    """The answer's body. No null and no empty member but `cards` (a SHALL of the specification); decimals exact."""
    body: dict[str, object] = {"cards": [_card(card) for card in response.cards]}
    extension = _whole(response.extension)
    if extension is not None:
        body["extension"] = extension
    return encode_json(body)


def encode_json(value: object) -> bytes:
    """JSON in UTF-8, decimals as they are written (2.90 stays 2.90).

    Raises:
        TypeError: a value has no JSON form.
    """
    return orjson.dumps(value, default=_encode_value)


def _encode_value(value: object) -> object:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value).encode())
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError("a value of the answer has no JSON form")


def _card(card: Card) -> dict[str, object]:
    told: dict[str, object] = {
        "uuid": card.uuid,
        "summary": card.summary,
        "detail": card.detail,
        "indicator": card.indicator,
        "source": {"label": card.source.label, "url": card.source.url, "topic": _coding(card.source.topic)},
    }
    if card.suggestions:
        told["suggestions"] = [_suggestion(suggestion) for suggestion in card.suggestions]
        told["selectionBehavior"] = card.selection_behavior
    if card.override_reasons:
        told["overrideReasons"] = [_coding(reason) for reason in card.override_reasons]
    if card.links:
        told["links"] = [_link(link) for link in card.links]
    return told


def _coding(coding: Coding) -> dict[str, object]:
    return {"code": coding.code, "system": coding.system, "display": coding.display}


def _suggestion(suggestion: Suggestion) -> dict[str, object]:
    told: dict[str, object] = {"label": suggestion.label, "uuid": suggestion.uuid}
    if suggestion.is_recommended:
        told["isRecommended"] = True
    return told | {"actions": [_action(action) for action in suggestion.actions]}


def _action(action: Action) -> dict[str, object]:
    return {"type": action.type, "description": action.description, "resource": _whole(action.resource)}


def _link(link: Link) -> dict[str, object]:
    told: dict[str, object] = {"label": link.label, "url": link.url, "type": link.type}
    if link.type == "smart" and link.app_context:
        told["appContext"] = link.app_context
    return told


def _whole(value: Mapping[str, object] | None) -> Whole | orjson.Fragment | None:
    """An object without null, empty string, array or object anywhere within; None where nothing is left."""
    if isinstance(value, Whole):
        return value
    encoded = encode_json(value)
    if any(sign in encoded for sign in _SIGNS_OF_EMPTY):
        kept = _without_empty(value)
        return None if kept is None else orjson.Fragment(encode_json(kept))
    return orjson.Fragment(encoded)


def _without_empty(value: object) -> object:
    if isinstance(value, Mapping):
        parts = {name: _without_empty(member) for name, member in value.items()}
        return {name: part for name, part in parts.items() if part is not None} or None
    if isinstance(value, list | tuple):
        return [part for part in map(_without_empty, value) if part is not None] or None
    return None if value == "" else value
