"""What a service answers, as frozen values named as on the wire. Knows no medicine, no FHIR library, no Flask."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Indicator = Literal["info", "warning", "critical"]
SelectionBehavior = Literal["at-most-one", "any"]

SUMMARY_LIMIT = 140
"""A summary is shorter than this, counted as JavaScript clients count: in UTF-16 units."""


class Whole(dict[str, object]):
    """A JSON object whose maker answers for it that nothing in it is null or empty: the encoder needn't look."""


@dataclass(frozen=True)
class Coding:
    """A code with its system and display (FHIR Coding, as CDS Hooks uses it)."""

    code: str
    system: str
    display: str


@dataclass(frozen=True)
class Source:
    """Where a card's guidance comes from. Required on every card, with its url and topic."""

    label: str
    url: str
    topic: Coding


@dataclass(frozen=True)
class Link:
    """A link of a card; `url` is absolute. `app_context` appears on smart links only."""

    label: str
    url: str
    type: Literal["absolute", "smart"] = "absolute"
    app_context: str | None = None


@dataclass(frozen=True)
class Action:
    """A proposed change; `resource` is a whole draft FHIR resource."""

    type: Literal["create"]
    description: str
    resource: Mapping[str, object]


@dataclass(frozen=True)
class Suggestion:
    """A set of actions the clinician may accept at once."""

    uuid: str
    label: str
    actions: tuple[Action, ...]
    is_recommended: bool = False


@dataclass(frozen=True)
class Card:
    """One card. `summary` has fewer than 140 characters; `detail` is GitHub Flavored Markdown without HTML.

    `selection_behavior` is sent beside suggestions only; 1.0 clients know none but at-most-one.

    Raises:
        ValueError: the summary is empty, too long or of several lines, so no such card can reach a client.
    """

    uuid: str
    summary: str
    indicator: Indicator
    source: Source
    detail: str
    suggestions: tuple[Suggestion, ...] = ()
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()
    selection_behavior: SelectionBehavior = "at-most-one"

    def __post_init__(self) -> None:
        if not 0 < len(self.summary.encode("utf-16-le")) // 2 < SUMMARY_LIMIT or len(self.summary.splitlines()) > 1:
            raise ValueError(f"a card's summary is one line of 1 to {SUMMARY_LIMIT - 1} characters")


@dataclass(frozen=True)
class CdsResponse:
    """The answer of a call: the cards, and the extension object (name to value) that machines read."""

    cards: tuple[Card, ...] = ()
    extension: Mapping[str, object] | None = None
