"""Cards to JSON, named and shaped as on the wire (CDS Hooks 3.0, CDS Service Response). Decides nothing."""

from collections.abc import Mapping
from decimal import Decimal

import orjson

from cds_service.cds_hooks.cards import Action, Card, CdsResponse, Coding, Link, Suggestion

_FLAT = (str, int, bool, Decimal, type(None))


def encode_response(response: CdsResponse) -> bytes:
    """The answer's body. No null and no empty member but `cards` (a SHALL of the specification); decimals exact."""
    body: dict[str, object] = {"cards": [_card(card) for card in response.cards]}
    extension = _without_empty(response.extension)
    if extension:
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
    raise TypeError("a value of the answer has no JSON form")


def _card(card: Card) -> dict[str, object]:
    return _given(
        uuid=card.uuid,
        summary=card.summary,
        detail=card.detail,
        indicator=card.indicator,
        source={"label": card.source.label, "url": card.source.url, "topic": _coding(card.source.topic)},
        suggestions=[_suggestion(suggestion) for suggestion in card.suggestions],
        selectionBehavior=card.selection_behavior if card.suggestions else None,
        overrideReasons=[_coding(reason) for reason in card.override_reasons],
        links=[_link(link) for link in card.links],
    )


def _coding(coding: Coding) -> dict[str, object]:
    return {"code": coding.code, "system": coding.system, "display": coding.display}


def _suggestion(suggestion: Suggestion) -> dict[str, object]:
    return _given(
        label=suggestion.label,
        uuid=suggestion.uuid,
        isRecommended=suggestion.is_recommended,
        actions=[_action(action) for action in suggestion.actions],
    )


def _action(action: Action) -> dict[str, object]:
    return {"type": action.type, "description": action.description, "resource": _without_empty(action.resource)}


def _link(link: Link) -> dict[str, object]:
    app_context = link.app_context if link.type == "smart" else None
    return _given(label=link.label, url=link.url, type=link.type, appContext=app_context)


def _given(**members: object) -> dict[str, object]:
    return {name: member for name, member in members.items() if member}


def _without_empty(value: object) -> object:
    """The value without null, empty string, array or object anywhere within; None where nothing is left."""
    kept: dict[object, object] | list[object]
    if isinstance(value, Mapping):
        kept = {}
        for name, member in value.items():
            part = member if type(member) in _FLAT else _without_empty(member)
            if part is not None and part != "":
                kept[name] = part
        return kept or None
    if isinstance(value, list | tuple):
        kept = [part for part in map(_without_empty, value) if part is not None]
        return kept or None
    return None if value == "" else value
