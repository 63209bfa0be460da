"""The golden cards: one page a synthetic patient, as a person reads it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[2] / "fhir_fixtures" / "golden"
_VERSION = re.compile(r"Knowledge \S+, software \S+:")


def card_page(card: Mapping[str, Any]) -> str:
    """A card as its golden page tells it, without versions and ids."""
    suggested = [
        f"- {one['label']}{' (recommended)' if one.get('isRecommended') else ''}" for one in card.get("suggestions", [])
    ]
    detail = _VERSION.sub("Knowledge *version*, software *version*:", card["detail"])
    return "\n".join(
        (f"# {card['summary']}", "", f"`{card['indicator']}`", "", detail, "Suggestions:", "", *suggested, "")
    )
