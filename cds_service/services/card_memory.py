"""The memory of one service: a card about to be shown is held against what feedback said of earlier ones, and kept.

A database that fails costs nobody the answer: the call is then answered without memory. Knows no SQL and no clock.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from cds_service.cds_hooks.cards import CdsResponse
from cds_service.cds_hooks.clients import CdsClient
from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.cds_hooks.request import CdsRequest
from cds_service.hematology.verdicts import Alert, Assessment, Importance
from cds_service.knowledge.model import Knowledge, Quieting
from cds_service.services.card_basis import basis_of
from cds_service.services.card_composer import Withheld
from cds_service.services.fingerprint import card_id, fingerprint_of
from cds_service.services.issued_card import NOTHING_KEPT, IssuedCard, IssuedCards, Recollection
from cds_service.services.pseudonyms import Pseudonyms
from cds_service.services.quieting import Candidate, Quieted, decide


@dataclass(frozen=True)
class Remembered:
    """What memory says of one candidate. `available` is false where memory could not be asked, or not be written."""

    candidate: Candidate
    quieted: Quieted | None = None
    available: bool = True


@dataclass(frozen=True)
class CardMemory:
    """Cards of one service, recognised by the site's key and by the one before it, kept as cards of `mode`."""

    issued: IssuedCards
    pseudonyms: Pseudonyms
    service: str
    previous: Pseudonyms | None = None
    mode: Literal["live", "silent"] = "live"

    @property
    def keeps(self) -> bool:
        """Whether there is a memory at all: without one no card need be described for it."""
        return self.issued is not NOTHING_KEPT

    def candidate(
        self, assessment: Assessment, alert: Alert, request: CdsRequest, client: CdsClient, knowledge: Knowledge
    ) -> Candidate:
        """The card that this assessment deserves, as it would be kept."""

        def made_with(pseudonyms: Pseudonyms, before: Candidate | None = None) -> Candidate:
            patient = pseudonyms.patient(client, request.fhir_server, request.context.patient_id)
            marks = pseudonyms.marks(patient)
            basis = basis_of(assessment, knowledge.guideline, marks)
            fingerprint = fingerprint_of(assessment, alert, knowledge.version, pseudonyms.key)
            card = IssuedCard(
                card=card_id(request.hook_instance, fingerprint),
                suggestions=(),
                client=client,
                service=self.service,
                hook_instance=request.hook_instance,
                patient=patient,
                user=pseudonyms.user(client, request.context.user_id),
                finding=alert.leading.value,
                severity_band=basis.severity_band,
                indicator=alert.importance.value,
                critical=alert.importance is Importance.CRITICAL,
                fingerprint=fingerprint,
                knowledge_version=knowledge.version,
                issued_at=assessment.as_of,
                basis=basis.to_json(),
            )
            return Candidate(card, assessment, marks, before)

        return made_with(self.pseudonyms, made_with(self.previous) if self.previous else None)

    def consider(self, candidate: Candidate, policy: Quieting | None) -> Remembered:
        """Whether feedback keeps the candidate quiet by this policy: what was kept under a key is compared under it."""
        if policy is None:
            return Remembered(candidate)
        as_of = candidate.card.issued_at
        quieted: list[Quieted | None] = []
        for one in filter(None, (candidate, candidate.under_previous_key)):
            try:
                recalled = self.issued.recall(one.card, as_of - _longest(policy))
            except StoreUnavailable:
                return Remembered(candidate, available=False)
            if _is_repeated(recalled):
                return Remembered(candidate)
            quieted.append(decide(one, recalled.answered, policy, as_of))
        return Remembered(candidate, max(filter(None, quieted), key=lambda one: one.until, default=None))

    def keep(self, remembered: Remembered, response: CdsResponse, withheld: Withheld | None) -> Remembered:
        """Keep the card as it was answered, also where memory could not be asked: feedback on it may come later."""
        quieted = remembered.quieted
        paused = "paused" if withheld is Withheld.PAUSED else None
        card = replace(
            remembered.candidate.card,
            suggestions=tuple(one.uuid for card in response.cards for one in card.suggestions),
            mode=self.mode,
            shown=bool(response.cards),
            quieted_by=quieted.by if quieted else paused,
            quieted_until=quieted.until if quieted else None,
        )
        try:
            self.issued.record([card])
        except StoreUnavailable:
            return replace(remembered, available=False)
        return remembered


def _longest(policy: Quieting) -> timedelta:
    """How long ago a report may have come that still quiets."""
    days = (policy.accepted_days, *(reason.days for reason in policy.overridden))
    return timedelta(days=max(days))


def _is_repeated(recalled: Recollection) -> bool:
    """A call that was made before and showed its card is answered alike, unless that very card was answered since."""
    again = recalled.again
    return again is not None and again.shown and again.card not in {one.card.card for one in recalled.answered}
