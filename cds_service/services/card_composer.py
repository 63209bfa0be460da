"""The last room of a call: an assessment becomes the answer, with at most one card. Judges nothing, fetches nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cds_service.cds_hooks.cards import Card, CdsResponse, Coding, Link, Source
from cds_service.cds_hooks.errors import DataNotAvailable
from cds_service.hematology.verdicts import Alert, Assessment, Verdict
from cds_service.knowledge.model import Knowledge
from cds_service.services.assessment_extension import CardFate, compose_extension
from cds_service.services.card_detail import TEMPLATE, compose_detail, detail_layout
from cds_service.services.card_facts import CardFacts
from cds_service.services.card_phrases import site_phrases
from cds_service.services.card_steps import suggested_orders
from cds_service.services.card_summary import compose_summary
from cds_service.services.card_values import utc_text
from cds_service.services.card_wording import Wording
from cds_service.services.fingerprint import card_id, fingerprint_of
from cds_service.services.order_drafts import DraftFacts, OrderDrafts
from cds_service.services.quieting import Quieted

CLINICIANS_ONLY = frozenset({"Patient", "RelatedPerson"})
"""The users who get no card, unless the site allows it."""


class Withheld(StrEnum):
    """Why no card of a call is shown, whatever it says."""

    AUDIENCE = "audience"
    DECEASED = "deceased"
    PAUSED = "paused"
    SILENT = "silent"


FOR_NOBODY = frozenset({Withheld.AUDIENCE, Withheld.DECEASED})
"""Such a card was not even to be given: it isn't kept."""
_REFERENCE = re.compile(r"Observation/[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True)
class CallerFacts:
    """What the composer needs of the call. `user_type` is the resource type of the user, '' if not told."""

    hook_instance: str
    user_type: str
    patient_id: str
    fhir_server: str | None = None


@dataclass(frozen=True)
class SiteOptions:
    """What the site decides. `public_url` has no final slash."""

    software_version: str
    public_url: str
    fingerprint_key: bytes
    withheld_audience: frozenset[str] = CLINICIANS_ONLY
    extension: bool = True
    silent: bool = False
    """Cards are assessed and recorded, and none is shown."""
    paused: frozenset[str] = frozenset()
    """Findings whose cards aren't shown."""
    smart_servers: frozenset[str] = frozenset()
    """FHIR servers, without a final slash, at which the trend is registered as a SMART app."""


class CardComposer:
    """Composes the answers of one site; what all its cards have in common is made once."""

    def __init__(self, knowledge: Knowledge, site: SiteOptions) -> None:
        self._knowledge = knowledge
        self._site = site
        self._words = words = Wording(knowledge.wording)
        self._phrases = site_phrases(knowledge, words, site.software_version)
        self._layout = detail_layout(knowledge.templates[TEMPLATE], words)
        self._drafts = OrderDrafts(knowledge.orders, words)
        self._source = Source(words.plain("source.label"), f"{site.public_url}/about", _coding("source.topic", words))
        self._override_reasons = tuple(_coding(f"override.{reason}", words) for reason in words.section("override"))
        self._links = (Link(words.plain("links.causes"), f"{site.public_url}/about/causes"),)

    def compose(
        self,
        assessment: Assessment,
        caller: CallerFacts,
        quieted: Quieted | None = None,
        fingerprint: str | None = None,
    ) -> CdsResponse:
        """The answer of one call: at most one card, none `quieted` by feedback, and the assessment for machines.

        `fingerprint` is the card's, where memory has made it already.

        Raises:
            DataNotAvailable: nothing deserves a card, but the counts were not read to the end.
        """
        alert, version = assessment.alert, self._knowledge.version
        if alert is None and assessment.picture.counts_incomplete:
            raise DataNotAvailable(
                "Not all of the blood counts could be read, so nothing can be said about them. "
                "Send all pages in prefetch, or give fhirServer and fhirAuthorization.",
                missing=("counts",),
                reason="counts-incomplete",
            )
        if alert and fingerprint is None:
            fingerprint = fingerprint_of(assessment, alert, version, self._site.fingerprint_key)
        fate = CardFate(fingerprint, withheld_because(assessment, caller, self._site), quieted)
        cards: tuple[Card, ...] = ()
        if alert and fingerprint and fate.shown:
            cards = (self._card(self._facts(assessment, alert), caller, fingerprint),)
        if not self._site.extension:
            return CdsResponse(cards)
        return CdsResponse(cards, compose_extension(assessment, version, self._site.software_version, fate))

    def _facts(self, assessment: Assessment, alert: Alert) -> CardFacts:
        return CardFacts(assessment, alert, self._knowledge, self._words, self._phrases, self._layout)

    def _card(self, facts: CardFacts, caller: CallerFacts, fingerprint: str) -> Card:
        summary = compose_summary(facts)
        drafts = DraftFacts(
            patient_id=caller.patient_id,
            authored_on=utc_text(facts.assessment.as_of),
            reason=summary,
            note=self._words.plain("orders.note-citrate" if _is_unreliable(facts) else "orders.note"),
            references=tuple(dict.fromkeys(_decisive(facts))),
            hook_instance=caller.hook_instance,
            fingerprint=fingerprint,
        )
        return Card(
            uuid=card_id(caller.hook_instance, fingerprint),
            summary=summary,
            indicator=facts.alert.importance.value,
            source=self._source,
            detail=compose_detail(facts),
            suggestions=self._drafts.suggestions(suggested_orders(facts), drafts),
            override_reasons=self._override_reasons,
            links=(*self._smart_links(caller, fingerprint), *self._links),
        )

    def _smart_links(self, caller: CallerFacts, fingerprint: str) -> Iterator[Link]:
        """The trend as an app, where the EHR has it registered; the app is told which card it was opened from."""
        if caller.fhir_server is not None and caller.fhir_server.rstrip("/") in self._site.smart_servers:
            yield Link(self._words.plain("smart.link"), f"{self._site.public_url}/smart/launch", "smart", fingerprint)


def withheld_because(assessment: Assessment, caller: CallerFacts, site: SiteOptions) -> Withheld | None:
    """Why no card of this call is shown; None: nothing speaks against one."""
    if caller.user_type in site.withheld_audience:
        return Withheld.AUDIENCE
    if assessment.picture.patient.deceased:
        return Withheld.DECEASED
    if assessment.alert and assessment.alert.leading in site.paused:
        return Withheld.PAUSED
    return Withheld.SILENT if site.silent else None


def _is_unreliable(facts: CardFacts) -> bool:
    return facts.assessment.thrombocytopenia.verdict is Verdict.UNRELIABLE


def _decisive(facts: CardFacts) -> Iterator[str]:
    """The results a draft order refers to: what is critical, then the newest of what the card leads with."""
    critical = [result for _, result, _ in facts.assessment.severity.critical]
    newest = [finding.newest.result for finding in facts.leading if finding.newest]
    conflicting = [one for finding in facts.leading if finding.conflicting for one in finding.conflicting.results]
    for result in (*critical, *newest, *conflicting):
        if _REFERENCE.fullmatch(result.reference):
            yield result.reference


def _coding(key: str, words: Wording) -> Coding:
    return Coding(
        code=words.plain(f"{key}.code"), system=words.plain(f"{key}.system"), display=words.plain(f"{key}.display")
    )
