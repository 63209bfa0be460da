"""Cards in a terminal, as readable as in a chart. Knows no HTTP; text from a service is shown, never obeyed."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.panel import Panel
from rich.text import Text

from cds_service.sandbox.ehr import Exchange

EXTENSION = "org.cytopenia-cds.assessment"
_LOOKS = {"critical": ("red", "■ Critical"), "warning": ("yellow", "▲ Warning"), "info": ("blue", "● Info")}


def print_exchange(console: Console, exchange: Exchange) -> None:
    """Print every card of an answer, or that there is none, then the verdicts."""
    for card in exchange.cards:
        console.print(_panel(card))
    if not exchange.cards:
        console.print(Text("No cards: the service has nothing to say about this chart.", style="bold"))
    for line in _verdicts(exchange):
        console.print(line)
    for key, reason in exchange.left_out.items():
        console.print(Text(plain(f"Not prefetched: {key} ({reason})"), style="dim"))


def plain(text: object) -> str:
    """Text without control characters, so that nothing in it can drive the terminal."""
    return "".join(char for char in str(text) if char == "\n" or unicodedata.category(char) not in ("Cc", "Cf"))


def _panel(card: Mapping[str, Any]) -> Panel:
    colour, title = _LOOKS.get(str(card.get("indicator")), _LOOKS["info"])
    body: list[RenderableType] = [Text(plain(card.get("summary", "")), style="bold")]
    if card.get("detail"):
        body += [Text(), Markdown(plain(card["detail"]), hyperlinks=False)]
    body += _lines("Suggestions", [_suggestion(one) for one in card.get("suggestions", ())])
    body += _lines("Links", [f"{link.get('label')}: {link.get('url')}" for link in card.get("links", ())])
    source = card.get("source", {})
    body += [Text(), Text(plain(f"Source: {source.get('label', '')} {source.get('url', '')}"), style="dim")]
    return Panel(Group(*body), title=Text(title), title_align="left", border_style=colour, padding=(1, 2))


def _suggestion(suggestion: Mapping[str, Any]) -> str:
    return f"{suggestion.get('label')}{' (recommended)' if suggestion.get('isRecommended') else ''}"


def _lines(heading: str, lines: list[str]) -> list[RenderableType]:
    if not lines:
        return []
    return [Text(), Text(heading, style="bold"), *(Text(plain(f"  • {line}")) for line in lines)]


def _verdicts(exchange: Exchange) -> list[Text]:
    assessment = (exchange.response.get("extension") or {}).get(EXTENSION) or {}
    lines = [
        Text(plain(f"{one.get('finding', '').capitalize()}: {one.get('verdict', '').replace('-', ' ')}"))
        for one in assessment.get("findings", ())
    ]
    for one in assessment.get("notUsed", ()):
        lines.append(Text(plain(f"Not used: {one.get('reference')} ({one.get('reason')})"), style="dim"))
    if "withheld" in assessment:
        lines.append(Text(plain(f"Card withheld: {assessment['withheld']}")))
    if quieted := assessment.get("quieted"):
        told = f"Card quiet: {quieted.get('finding')}, by {quieted.get('by')}, until {quieted.get('until')}"
        lines.append(Text(plain(told)))
    return lines
