"""Cards on the wire: named as the specification names them, nothing null, nothing empty, nothing rounded."""

import dataclasses
import json
from decimal import Decimal
from types import MappingProxyType

import pytest

from cds_service.cds_hooks.cards import CdsResponse, Link
from cds_service.cds_hooks.discovery import ServiceDescription, describe_services
from cds_service.cds_hooks.response_json import encode_json, encode_response
from tests.builders.cds_contract import assert_response_conforms
from tests.builders.fake_service import fixed_card

CARD = fixed_card("3f333df6-90a4-4fda-8dd3-9485d27cee36")


def test_a_full_card_is_written_whole() -> None:
    body = json.loads(encode_response(CdsResponse((CARD,))))
    assert_response_conforms(body, "synthetic-1")
    card = body["cards"][0]
    assert card["selectionBehavior"] == "at-most-one"
    assert card["suggestions"][0]["isRecommended"] is True
    assert card["suggestions"][0]["actions"][0]["resource"]["intent"] == "proposal"
    assert "note" not in card["suggestions"][0]["actions"][0]["resource"], "an empty array is left out"
    assert card["overrideReasons"][0]["display"] == "Already known"
    assert card["source"]["topic"]["code"] == "leukopenia"
    assert [link.get("appContext") for link in card["links"]] == [None, "synthetic"]


def test_a_bare_card_has_only_what_it_says() -> None:
    bare = dataclasses.replace(CARD, suggestions=(), override_reasons=(), links=())
    card = json.loads(encode_response(CdsResponse((bare,))))["cards"][0]
    assert set(card) == {"uuid", "summary", "detail", "indicator", "source"}


def test_an_app_context_is_for_smart_links_only() -> None:
    card = dataclasses.replace(CARD, links=(Link("x", "https://example.org", "absolute", "context"),))
    assert "appContext" not in json.loads(encode_response(CdsResponse((card,))))["cards"][0]["links"][0]


def test_nothing_to_say_is_an_empty_list_of_cards() -> None:
    assert encode_response(CdsResponse()) == b'{"cards":[]}'
    assert encode_response(CdsResponse((), {"org.example.x": {"y": [], "z": None, "w": [{}, ""]}})) == b'{"cards":[]}'


def test_false_and_zero_are_values() -> None:
    extension = {"org.example.x": MappingProxyType({"no": False, "zero": 0, "none": Decimal(0)})}
    body = encode_response(CdsResponse((), extension))
    assert body == b'{"cards":[],"extension":{"org.example.x":{"no":false,"zero":0,"none":0}}}'


@pytest.mark.parametrize("text", ["2.90", "3.99999999999999999", "1E+3", "0.00001"])
def test_a_decimal_is_written_as_it_is(text: str) -> None:
    assert encode_json({"v": Decimal(text)}) == b'{"v":' + text.encode() + b"}"


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object()])
def test_what_has_no_json_form_is_never_written(value: object) -> None:
    with pytest.raises(TypeError):
        encode_json({"v": value})


@pytest.mark.parametrize("summary", ["", "x" * 140, "two\nlines", "two\u2028lines", "😀" * 70])
def test_no_card_can_have_such_a_summary(summary: str) -> None:
    with pytest.raises(ValueError, match="summary"):
        dataclasses.replace(CARD, summary=summary)


def test_a_summary_may_have_139_characters() -> None:
    assert dataclasses.replace(CARD, summary="x" * 139).summary


def test_discovery_leaves_out_what_has_no_value() -> None:
    bare = ServiceDescription("x", "patient-view", "Title", "Text", "", {})
    body = json.loads(encode_json(describe_services([bare])))
    assert set(body["services"][0]) == {"hook", "hookVersion", "id", "title", "description", "version"}
    assert describe_services([]) == {"services": []}


@pytest.mark.parametrize("text", ["null", '""', "[]", "{}", 'said ""', "\\"])
def test_a_text_that_looks_like_nothing_is_kept(text: str) -> None:
    """Emptiness is looked for in the JSON: what stands in a text is no member, and what is beside it still goes."""
    body = json.loads(
        encode_response(CdsResponse((), {"org.example.x": {"said": text, "left": [text, None], "gone": [{}]}}))
    )
    assert body["extension"] == {"org.example.x": {"said": text, "left": [text]}}
