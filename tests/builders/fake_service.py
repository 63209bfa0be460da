"""A CDS service that answers one fixed card, so that the edge can be tested without medicine. Synthetic throughout."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec import Raw

from cds_service.cds_hooks.cards import Action, Card, CdsResponse, Coding, Link, Source, Suggestion
from cds_service.cds_hooks.clients import CdsClient
from cds_service.cds_hooks.discovery import ServiceDescription
from cds_service.cds_hooks.errors import DataNotAvailable, StoreUnavailable
from cds_service.cds_hooks.feedback import FeedbackEntry
from cds_service.cds_hooks.request import CdsRequest
from cds_service.cds_hooks.strict_json import decode_part
from cds_service.services.registry import CallFacts

SERVICE_ID = "cytopenia-review"
AS_OF = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
TOPIC = Coding("leukopenia", "https://example.org/topics", "Leukopenia")


def fixed_card(hook_instance: str) -> Card:
    """A card with every kind of member."""
    resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "subject": {"reference": "Patient/synthetic-1"},
        "note": [],
    }
    return Card(
        uuid=str(uuid.uuid5(uuid.UUID(hook_instance), "card")),
        summary="Synthetic: WBC 2.9 and platelets 88 are both low",
        indicator="warning",
        source=Source("Synthetic source", "https://example.org/about", TOPIC),
        detail="| date | WBC |\n| --- | --- |\n| 2026-01-14 | 2.9 |",
        suggestions=(
            Suggestion(
                uuid=str(uuid.uuid5(uuid.UUID(hook_instance), "suggestion")),
                label="Repeat the count",
                actions=(Action("create", "Order the repeat", resource),),
                is_recommended=True,
            ),
        ),
        override_reasons=(Coding("known", "https://example.org/reasons", "Already known"),),
        links=(
            Link("About", "https://example.org/about"),
            Link("App", "https://example.org/launch", "smart", "synthetic"),
        ),
    )


@dataclass
class FakeService:
    """Needs the key `counts`; answers the fixed card, or what `failure` says. Remembers the calls it got."""

    failure: Exception | None = None
    calls: list[tuple[CdsRequest, datetime]] = field(default_factory=list)
    clients: list[CdsClient] = field(default_factory=list)

    @property
    def description(self) -> ServiceDescription:
        """The discovery entry."""
        patient = "{{context.patientId}}"
        return ServiceDescription(
            id=SERVICE_ID,
            hook="patient-view",
            title="Synthetic review",
            description="Answers one fixed card.",
            usage_requirements="None.",
            prefetch={"patient": f"Patient/{patient}", "counts": f"Observation?patient={patient}&code=6690-2"},
        )

    def answer(self, request: CdsRequest, client: CdsClient, as_of: datetime) -> tuple[CdsResponse, CallFacts]:
        """The fixed card, unless counts are missing."""
        self.calls.append((request, as_of))
        self.clients.append(client)
        if self.failure:
            raise self.failure
        counts = request.prefetch.get("counts", "absent")
        counts = decode_part(counts) if isinstance(counts, Raw) else counts
        if counts is not None and not (isinstance(counts, dict) and counts.get("resourceType") == "Bundle"):
            raise DataNotAvailable("Blood counts were neither prefetched nor obtainable.", ("counts",))
        card = fixed_card(request.hook_instance)
        facts = CallFacts(
            verdicts={"leukopenia": "present"},
            card_ids=(card.uuid,),
            indicator=card.indicator,
            knowledge_version="synthetic",
            fetched={"conditions": 12.5},
            set_aside={"unit-missing": 2},
        )
        return CdsResponse((card,), {"org.example.empty": [], "org.example.told": {"version": "1"}}), facts


@dataclass
class FakeStore:
    """Keeps feedback in a list; refuses when told to be down."""

    down: bool = False
    clients: list[CdsClient] = field(default_factory=list)
    stored: list[tuple[FeedbackEntry, datetime, str]] = field(default_factory=list)

    def store(
        self, entries: Sequence[FeedbackEntry], received_at: datetime, service_id: str, client: CdsClient
    ) -> Sequence[FeedbackEntry]:
        """Keep all entries; all of them are news."""
        self.clients.append(client)
        if self.down:
            raise StoreUnavailable("Feedback can't be stored just now; send it again.")
        self.stored += [(entry, received_at, service_id) for entry in entries]
        return entries
