"""What was chosen in a card's form, as CDS Hooks feedback. Knows no HTTP."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cds_service.sandbox.visits import Reaction

_COMMENT_LIMIT = 1000


def read_feedback(card: Mapping[str, Any], form: Mapping[str, str]) -> tuple[dict[str, object], Reaction] | None:
    """The feedback entry (CDS Hooks, Feedback) and how the page remembers it; None for a suggestion the card hasn't."""
    entry: dict[str, object] = {
        "card": card["uuid"],
        "outcomeTimestamp": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    suggestion = form.get("suggestion")
    if suggestion is not None:
        if suggestion not in {one.get("uuid") for one in card.get("suggestions", ())}:
            return None
        accepted = {"outcome": "accepted", "acceptedSuggestions": [{"id": suggestion}]}
        return entry | accepted, Reaction("accepted", suggestion=suggestion)
    comment = form.get("comment", "").strip()[:_COMMENT_LIMIT]
    reasons, chosen = card.get("overrideReasons", ()), form.get("reason", "")
    reason = reasons[int(chosen)] if chosen.isdecimal() and int(chosen) < len(reasons) else None
    said: dict[str, object] = ({"reason": reason} if reason else {}) | ({"userComment": comment} if comment else {})
    overridden = {"outcome": "overridden"} | ({"overrideReason": said} if said else {})
    return entry | overridden, Reaction("overridden", reason=reason["display"] if reason else "", comment=comment)
