"""What is kept, to vary in tests. Synthetic throughout."""

from datetime import UTC, datetime
from typing import Any

from cds_service.cds_hooks.clients import ANYONE
from cds_service.services.issued_card import IssuedCard, Pseudonym


def issued_card(**members: Any) -> IssuedCard:
    """A shown warning about leukopenia."""
    defaults: dict[str, Any] = {
        "card": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "suggestions": ("7c9e6679-7425-40de-944b-e07fc1f90ae7",),
        "client": ANYONE,
        "service": "cytopenia-review",
        "hook_instance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "patient": Pseudonym("key-1", "patient"),
        "user": None,
        "finding": "leukopenia",
        "severity_band": "grade-2",
        "indicator": "warning",
        "critical": False,
        "fingerprint": "0123456789abcdef0123456789abcdef",
        "knowledge_version": "synthetic",
        "issued_at": datetime(2026, 1, 15, 12, 0, tzinfo=UTC),
    }
    return IssuedCard(**(defaults | members))
