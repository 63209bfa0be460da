"""A card's markdown as the chart shows it: tables and links work, HTML stays inert."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.trend_view.card_markdown import render_detail

INERT = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "<b onclick='alert(1)'>bold</b>",
    "text <!-- comment --> text",
    "![picture](https://example.org/p.png)",
    "[link](javascript:alert(1))",
    "[link](data:text/html,<script>alert(1)</script>)",
    "| a |\n|---|\n| <iframe src=x> |",
]


@pytest.mark.parametrize("markdown", INERT)
def test_html_images_and_script_links_do_nothing(markdown: str) -> None:
    html = render_detail(markdown)
    for tag in ("<script", "<img", "<b ", "<!--", "<iframe", 'href="javascript', 'href="data'):
        assert tag not in html


@given(st.text(alphabet="<>&\"'`[]()!|*_-# \nabc:/=", max_size=60))
def test_only_tags_of_markdown_itself_come_out(markdown: str) -> None:
    allowed: tuple[str, ...] = (
        "p",
        "em",
        "strong",
        "code",
        "pre",
        "a ",
        "ul",
        "ol",
        "li",
        "h4",
        "h5",
        "h6",
        "hr",
        "br",
        "s",
        "div",
    )
    allowed += ("blockquote", "table", "thead", "tbody", "tr", "th", "td")
    for piece in render_detail(markdown).split("<")[1:]:
        assert piece.removeprefix("/").startswith(allowed), piece


def test_a_table_can_be_scrolled_by_keyboard() -> None:
    html = render_detail("| Collected | Leukocytes |\n|---|---|\n| 2026-01-15 | 2.9 |")
    assert '<div class="table-scroll" role="region" aria-label="Table" tabindex="0"><table>' in html
    assert html.rstrip().endswith("</table>\n</div>")


def test_an_aligned_column_needs_no_inline_style() -> None:
    html = render_detail("| Test | Value |\n|:--|--:|\n| WBC | 2.9 |")
    assert "style=" not in html
    assert '<th class="align-left">' in html
    assert '<td class="align-right">2.9</td>' in html


def test_links_open_outside_the_chart() -> None:
    assert '<a href="https://example.org" target="_blank" rel="noopener noreferrer">' in render_detail(
        "[about](https://example.org)"
    )


def test_headings_stand_below_the_cards_own() -> None:
    assert render_detail("# Evidence\n##### Codes") == "<h4>Evidence</h4>\n<h5>Codes</h5>\n"
