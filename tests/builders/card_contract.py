"""What every composed card keeps to, whatever the chart: the words it never says, its shape, its length.

`tests/conftest.py` calls `assert_card_keeps_to_it` on every card of ours that any test makes.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from markdown_it import MarkdownIt

from cds_service.cds_hooks.cards import SUMMARY_LIMIT, Card

_FILE = Path(__file__).parents[1] / "cards" / "never_on_a_card.toml"
_QUOTED = re.compile(r"“[^”]*”")
_RENDERER = MarkdownIt("gfm-like", {"html": True, "linkify": True})
_PARTS = ["Results used", "Why this card", "What this record says about causes", "Next steps to consider", "Limits"]
_WORDS_CHECKED = ContextVar("words checked", default=True)
_NEVER_IN_DETAIL = {"html_block", "html_inline", "image", "link_open", "code_inline", "fence", "code_block"}


@dataclass(frozen=True)
class Never:
    """Something no card says."""

    why: str
    pattern: re.Pattern[str]
    caught: tuple[str, ...]
    let_through: tuple[str, ...]


@cache
def never_said() -> tuple[Never, ...]:
    """The list in `tests/cards/never_on_a_card.toml`."""
    listed = tomllib.loads(_FILE.read_text(encoding="utf-8"))["never"]
    return tuple(
        Never(one["why"], re.compile(one["pattern"], re.IGNORECASE), tuple(one["caught"]), tuple(one["let_through"]))
        for one in listed
    )


@cache
def names_of_codes() -> frozenset[str]:
    """The displays of the cause groups' value sets."""
    shipped = Path(str(files("cds_service.knowledge"))) / "data" / "value_sets"
    found = (re.findall(r'"display": "([^"]*)"', path.read_text(encoding="utf-8")) for path in shipped.glob("causes-*"))
    return frozenset(name for names in found for name in names)


@cache
def _names_of_codes() -> re.Pattern[str]:
    return re.compile("|".join(re.escape(name) for name in sorted(names_of_codes(), key=len, reverse=True)))


def assert_says_nothing_forbidden(text: str) -> None:
    """The chart's own words, in quotation marks, are the chart's; names of codes are their terminology's."""
    ours = _names_of_codes().sub("", _QUOTED.sub("", text))
    for never in never_said():
        found = never.pattern.search(ours)
        assert not found, f"a card says {found.group()!r}: {never.why}" if found else ""


def assert_has_the_shape(card: Card) -> None:
    """One short line; five parts in their order; a table whose rows fit its header; nothing active in it."""
    assert len(card.summary.encode("utf-16-le")) // 2 < SUMMARY_LIMIT
    tokens = [part for token in _RENDERER.parse(card.detail) for part in (token, *(token.children or []))]
    assert not {token.type for token in tokens} & _NEVER_IN_DETAIL
    headings = [tokens[index + 1].content for index, token in enumerate(tokens) if token.type == "heading_open"]
    order = [next(number for number, part in enumerate(_PARTS) if heading.startswith(part)) for heading in headings]
    assert order == sorted(set(order))
    assert {0, 1, 3, 4} <= set(order)
    kinds = Counter(token.type for token in tokens)
    assert kinds["td_open"] == (kinds["tr_open"] - kinds["table_open"]) * 4
    assert "\n\n\n\n" not in card.detail


@contextmanager
def any_words_in_the_chart() -> Iterator[None]:
    """While a chart may hold any words in any place, a card's shape is checked, its words are not."""
    token = _WORDS_CHECKED.set(False)
    try:
        yield
    finally:
        _WORDS_CHECKED.reset(token)


def assert_card_keeps_to_it(card: Card) -> None:
    """Every rule that holds whatever the chart."""
    assert_has_the_shape(card)
    if _WORDS_CHECKED.get():
        for text in (card.summary, card.detail, *(one.label for one in card.suggestions)):
            assert_says_nothing_forbidden(text)
