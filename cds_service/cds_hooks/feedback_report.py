"""A feedback body to frozen entries, or a refusal that names the member (CDS Hooks 3.0, Feedback).

Knows no database and no card: a report about a card nobody remembers is as good as any other.
"""

import re
from datetime import UTC, datetime

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.feedback import FeedbackEntry, Outcome, ReasonCoding
from cds_service.cds_hooks.members import (
    Members,
    as_object,
    optional_list,
    optional_object,
    optional_string,
    required_string,
    required_uuid,
)
from cds_service.cds_hooks.strict_json import decode_object

MAX_ENTRIES = 1000
"""Entries in one report."""
MAX_COMMENT_LENGTH = 10_000
"""Characters of one user comment."""
MAX_CODING_LENGTH = 1000
"""Characters of a reason's code, system or display."""
MAX_SUGGESTIONS = 100
"""Accepted suggestions of one entry."""
YEARS = range(2000, 2100)
"""Years in which a card may have been answered; another one is a fault of the sender's clock or of its program."""

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,12})?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII)


def parse_feedback(body: bytes) -> tuple[FeedbackEntry, ...]:
    """Read one report.

    Args:
        body: the bytes as received.

    Raises:
        RequestInvalid: the body isn't strict JSON or breaks the specification; no entry of it counts then.
    """
    entries = optional_list(decode_object(body), "feedback", "feedback")
    if not entries:
        raise RequestInvalid("'feedback' must be an array with at least one entry.")
    if len(entries) > MAX_ENTRIES:
        raise RequestInvalid(f"'feedback' has more than {MAX_ENTRIES} entries; send them in several reports.")
    return tuple(_read_entry(entry, f"feedback[{index}]") for index, entry in enumerate(entries))


def _read_entry(value: object, path: str) -> FeedbackEntry:
    entry = as_object(value, path)
    outcome = _read_outcome(entry, path)
    reason = optional_object(entry, "overrideReason", f"{path}.overrideReason")
    coding, comment = (None, None) if reason is None else _read_override_reason(reason, f"{path}.overrideReason")
    suggestions = _read_accepted_suggestions(entry, f"{path}.acceptedSuggestions")
    if outcome == "accepted" and not suggestions:
        raise RequestInvalid(f"'{path}.acceptedSuggestions' must name at least one suggestion of an accepted card.")
    return FeedbackEntry(
        card=required_uuid(entry, "card", f"{path}.card"),
        outcome=outcome,
        outcome_timestamp=_read_timestamp(entry, path),
        accepted_suggestions=suggestions,
        override_reason=coding,
        user_comment=comment,
    )


def _read_outcome(entry: Members, path: str) -> Outcome:
    match required_string(entry, "outcome", f"{path}.outcome"):
        case "accepted":
            return "accepted"
        case "overridden":
            return "overridden"
        case _:
            raise RequestInvalid(f"'{path}.outcome' must be 'accepted' or 'overridden'.")


def _read_timestamp(entry: Members, path: str) -> datetime:
    text = required_string(entry, "outcomeTimestamp", f"{path}.outcomeTimestamp")
    if _RFC3339.fullmatch(text):
        try:
            # RFC 3339 allows a leap second; datetime doesn't know it, so it becomes the second before.
            time = datetime.fromisoformat(re.sub(r":60(?=[.Zz+-])", ":59", text.upper())).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        else:
            if time.year in YEARS:
                return time
            raise RequestInvalid(f"'{path}.outcomeTimestamp' must lie between {YEARS[0]} and {YEARS[-1]}.")
    raise RequestInvalid(f"'{path}.outcomeTimestamp' must be an RFC 3339 time, such as 2026-01-31T08:15:00Z.")


def _read_accepted_suggestions(entry: Members, path: str) -> tuple[str, ...]:
    suggestions = optional_list(entry, "acceptedSuggestions", path) or []
    if len(suggestions) > MAX_SUGGESTIONS:
        raise RequestInvalid(f"'{path}' has more than {MAX_SUGGESTIONS} suggestions.")
    return tuple(
        required_uuid(as_object(suggestion, f"{path}[{index}]"), "id", f"{path}[{index}].id")
        for index, suggestion in enumerate(suggestions)
    )


def _read_override_reason(override: Members, path: str) -> tuple[ReasonCoding | None, str | None]:
    reason = optional_object(override, "reason", f"{path}.reason")
    comment = _bounded(optional_string(override, "userComment", f"{path}.userComment"), f"{path}.userComment")
    if reason is None and comment is None:
        raise RequestInvalid(
            f"'{path}' must hold a 'reason', a 'userComment' or both; leave it out when there is none."
        )
    return None if reason is None else _read_coding(reason, f"{path}.reason"), comment


def _read_coding(reason: Members, path: str) -> ReasonCoding:
    code = required_string(reason, "code", f"{path}.code")
    system = required_string(reason, "system", f"{path}.system")
    display = optional_string(reason, "display", f"{path}.display")
    for name, text in (("code", code), ("system", system), ("display", display)):
        _bounded(text, f"{path}.{name}", MAX_CODING_LENGTH)
    return ReasonCoding(code, system, display)


def _bounded(text: str | None, path: str, limit: int = MAX_COMMENT_LENGTH) -> str | None:
    if text is not None and len(text) > limit:
        raise RequestInvalid(f"'{path}' has more than {limit} characters.")
    return text
