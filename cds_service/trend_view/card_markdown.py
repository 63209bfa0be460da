"""A card's detail as HTML: GitHub-flavoured tables, and HTML in it shown as text. Knows no page."""

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

_TOP_HEADING = 4
"""The highest level a heading may have below the card's own."""


def render_detail(markdown: str) -> Markup:
    """The detail of a card as safe HTML: no raw HTML, no images, links open outside the chart."""
    return Markup(_MARKDOWN.render(markdown))  # noqa: S704 - markdown-it escapes everything with html off


class _CardRenderer(RendererHTML):
    """Each method renders the tokens it is named after, as the library's own do."""

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        scroller = '<div class="table-scroll" role="region" aria-label="Table" tabindex="0">'
        return scroller + self.renderToken(tokens, idx, options, env)

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return self.renderToken(tokens, idx, options, env) + "</div>"

    def td_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        # An aligned column comes as a style attribute, which the page's content security policy drops.
        style = str(tokens[idx].attrs.pop("style", ""))
        if style:
            tokens[idx].attrJoin("class", f"align-{style.rpartition(':')[2]}")
        return self.renderToken(tokens, idx, options, env)

    th_open = td_open

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        tokens[idx].attrSet("target", "_blank")
        tokens[idx].attrSet("rel", "noopener noreferrer")
        return self.renderToken(tokens, idx, options, env)

    def heading_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        tokens[idx].tag = f"h{max(_TOP_HEADING, int(tokens[idx].tag[1:]))}"
        return self.renderToken(tokens, idx, options, env)

    heading_close = heading_open


_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False}, renderer_cls=_CardRenderer)
    .enable(["table", "strikethrough"])
    .disable("image")
)
