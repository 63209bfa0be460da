"""A card's detail as HTML: GitHub-flavoured tables, and HTML in it shown as text. Knows no page."""

from collections.abc import MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

_HEADINGS_BELOW = 3
"""A card stands under a heading of this level."""


def render_detail(markdown: str) -> Markup:
    """The detail of a card as safe HTML: no raw HTML, no images, links open outside the chart."""
    return Markup(_RENDERER.render(markdown))  # noqa: S704 - markdown-it escapes everything with html off


def _open_table(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return '<div class="table-scroll" role="region" aria-label="Table" tabindex="0">' + self.renderToken(
        tokens, index, options, env
    )


def _close_table(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return self.renderToken(tokens, index, options, env) + "</div>"


def _open_link(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("target", "_blank")
    tokens[index].attrSet("rel", "noopener noreferrer")
    return self.renderToken(tokens, index, options, env)


def _heading(self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].tag = f"h{min(6, int(tokens[index].tag[1:]) + _HEADINGS_BELOW)}"
    return self.renderToken(tokens, index, options, env)


def _renderer() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    rules: MutableMapping[str, Any] = {
        "table_open": _open_table,
        "table_close": _close_table,
        "link_open": _open_link,
        "heading_open": _heading,
        "heading_close": _heading,
    }
    for name, rule in rules.items():
        markdown.add_render_rule(name, rule)
    return markdown


_RENDERER = _renderer()
