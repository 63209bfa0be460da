"""Chart text on a card renders as itself: nothing in it becomes a link, an image, HTML, emphasis, code or a block."""

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cds_service.services.chart_text import clean_text, escape_text

# As permissive as renderers get: raw HTML on, addresses made links by themselves, tables and strikethrough.
RENDERER = MarkdownIt("gfm-like", {"html": True, "linkify": True, "breaks": True})
INERT = {"text", "inline", "paragraph_open", "paragraph_close", "softbreak"}
AROUND = {"list_item_open", "list_item_close", "bullet_list_open", "bullet_list_close"} | {
    f"{part}_{end}" for part in ("table", "thead", "tbody", "tr", "th", "td") for end in ("open", "close")
}
HOSTILE = [
    "<script>alert(1)</script>", "a <b>c</b>", "<img src=x onerror=alert(1)>", "[click](javascript:alert(1))", "![x](http://e.vil/x)",
    "www.example.com", "https://example.com/a?b=c", "HTTP://EXAMPLE.COM", "ftp://example.com", "//localhost/x",
    "mailto:a@example.com", "a.b@example.co.uk", "example.com", "xn--e1afmkfd.xn--p1ai", "пример.рф", "<https://e.vil>",
    "`code`", "**bold**", "_em_", "~~gone~~", "# heading", "- item", "1. item", "1) item", "> quote", "+ item", "=====",
    "| a | b |", "a|b", "a\\|b", "\\", "\\\\|", "[^1]: note", "[ref]: http://e.vil", "&lt;b&gt;", "&#124;", "&copy",
    "line one\nline two", "line\r\n\r\n# heading", "tab\there", "\x1b[31mred\x1b[0m", "\x1b]8;;http://e.vil\x07x",
    "\u202eevil", "zero\u200bwidth", "\ufeffbom", "soft\u00adhyphen", "\u3164", "\ud800", "\x00", "10*3/uL", "10^9/L",
    "```", "~~~", "    indented", "---", "***", "$x$", ":smile:", "@someone", "#123", "data:text/html,x", "vbscript:x",
    "javascript:alert(1)", "a" * 500, "", " ", "。", "\u2028x\u2029y", "{{ 7*7 }}", "{braces}", "%s",
]  # fmt: skip
PIECES = st.sampled_from(
    [*HOSTILE, "<", ">", "&", "|", "\\", "`", "*", "_", "[", "]", "(", ")", "!", ".", "/", ":", "@", "~"]
)
TEXTS = st.text(max_size=60) | st.lists(PIECES, max_size=5).map("".join)


def test_the_renderer_of_these_tests_would_make_links_and_html_of_raw_text() -> None:
    kinds = {token.type for text in HOSTILE for token in flattened(text)}
    assert kinds >= {"link_open", "image", "html_inline", "html_block", "code_inline", "strong_open", "heading_open"}
    assert "link_open" in {token.type for token in flattened("see example.com")}


def flattened(markdown: str) -> list[Token]:
    return [part for token in RENDERER.parse(markdown) for part in (token, *(token.children or []))]


def shown(markdown: str) -> str:
    """The text a reader sees."""
    return "".join(token.content for token in flattened(markdown) if token.type == "text")


@given(TEXTS)
@example("1.")
def test_escaped_text_is_one_inert_line_wherever_it_stands(text: str) -> None:
    escaped = escape_text(text)
    assert "\n" not in escaped
    for place in (f"Recorded: {escaped}.", f"- {escaped}", escaped, f"**{escaped}**x"):
        kinds = {token.type for token in flattened(place)}
        assert kinds <= INERT | AROUND | {"strong_open", "strong_close"} - (
            {"strong_open"} if place == escaped else set()
        )


@given(TEXTS)
@example("a|b")
@example("a\\|b")
def test_a_table_keeps_its_cells_whatever_the_text(text: str) -> None:
    tokens = flattened(f"| a | b |\n| :-- | :-- |\n| {escape_text(text)} | the second cell |\n")
    assert {token.type for token in tokens} <= INERT | AROUND
    cells = [tokens[index + 1] for index, token in enumerate(tokens) if token.type == "td_open"]
    assert [cell.content for cell in cells][1:] == ["the second cell"]


@given(TEXTS)
def test_a_reader_sees_the_text_but_for_the_spaces_that_break_links(text: str) -> None:
    read, written = (
        text.replace("<", "\u2039").replace(" ", "")
        for text in (shown(f"x {escape_text(text, 500)}"), f"x {clean_text(text, 500)}")
    )
    assert read == written


@given(TEXTS, st.integers(5, 100))
def test_clean_text_is_short_printable_and_stays_as_it_is(text: str, limit: int) -> None:
    cleaned = clean_text(text, limit)
    assert len(cleaned) <= limit
    assert cleaned.isprintable()
    assert not {unicodedata.category(character) for character in cleaned} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert clean_text(cleaned, limit) == cleaned
    json.dumps(cleaned, ensure_ascii=False).encode("utf-8")


@given(
    st.text("aZhtps109/-.:,;(+)@*%^ ", max_size=30)
    | st.lists(st.sampled_from(["http", "://", "1", "ab", ".", "*"])).map("".join)
)
@example("Observation/wbc-1")
@example("10*3/uL")
@example("https:1")
@example("1:https:1")
def test_simple_text_is_escaped_and_cleaned_as_the_same_text_beside_something_hostile(text: str) -> None:
    """Most text needs nothing and is told by its characters alone: that never lets anything through."""
    text = " ".join(text.split())
    assert escape_text(f"{text} *", 500) == f"{escape_text(text, 500)} \\*".lstrip()
    assert clean_text(f"{text} \u00e9", 500) == f"{clean_text(text, 500)} \u00e9".lstrip()


@pytest.mark.parametrize("text", HOSTILE)
def test_no_tag_can_come_of_clean_text(text: str) -> None:
    assert not any(token.type.startswith("html") for token in flattened(clean_text(text)))


@pytest.mark.parametrize(
    ("text", "shown_as"),
    [
        ("2.9 10*3/uL", "2.9 10\\*3/uL"),
        ("Hb < 7", "Hb &lt; 7"),
        ("K74.60", "K74.60"),
        ("2026-01-12", "2026-01-12"),
        ("see www.example.com", "see www. example. com"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("a" * 90, "a" * 79 + "\u2026"),
    ],
)
def test_ordinary_text_stays_readable(text: str, shown_as: str) -> None:
    assert escape_text(text) == shown_as
