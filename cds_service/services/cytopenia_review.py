"""The conductor of a call: gather, read, assess, compose. Judges nothing itself; knows no Flask and no clock."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain

from cds_service.call_phases import Phase
from cds_service.cds_hooks.cards import CdsResponse
from cds_service.cds_hooks.clients import CdsClient
from cds_service.cds_hooks.discovery import ServiceDescription
from cds_service.cds_hooks.errors import DataNotAvailable
from cds_service.cds_hooks.request import CdsRequest
from cds_service.cds_hooks.strict_json import decode_part
from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.patients import PatientMismatch
from cds_service.fhir_reading.reading import read_clinical_picture
from cds_service.fhir_reading.releases import Release
from cds_service.fhir_reading.skimming import Skimmer
from cds_service.hematology.assessment import assess
from cds_service.hematology.clinical_picture import ClinicalPicture
from cds_service.hematology.verdicts import Assessment
from cds_service.knowledge.model import Knowledge
from cds_service.outbound.deadline import Deadline
from cds_service.services.card_composer import (
    FOR_NOBODY,
    CallerFacts,
    CardComposer,
    SiteOptions,
    Withheld,
    withheld_because,
)
from cds_service.services.card_memory import CardMemory, Remembered
from cds_service.services.gathering import FhirAccess, Gathered, gather
from cds_service.services.prefetch_templates import COUNTS, PATIENT, REQUIRED, prefetch_templates
from cds_service.services.registry import CallFacts

SERVICE_ID = "cytopenia-review"
HOOK = "patient-view"


@dataclass(frozen=True)
class Reviewed:
    """One call's data, what they mean, the answer made of it, and what memory had to say (None: it wasn't asked)."""

    gathered: Gathered
    assessment: Assessment
    response: CdsResponse
    remembered: Remembered | None = None
    withheld: Withheld | None = None
    """Why a card, if there is one, is for nobody who calls like this."""


@dataclass(frozen=True)
class CytopeniaReview:
    """The CDS service `cytopenia-review`.

    `fhir` gives the FHIR servers that a client may have called; `deadline` starts the time budget of one call's
    fetching.

    `memory` keeps the cards and says which of them feedback keeps quiet. `release` is the site's FHIR release, for
    resources whose shape doesn't tell theirs.
    """

    knowledge: Knowledge
    description: ServiceDescription
    fhir: Callable[[CdsClient], FhirAccess]
    site: SiteOptions
    deadline: Callable[[], Deadline]
    memory: CardMemory
    release: Release | None = None
    composer: CardComposer = field(init=False, repr=False)
    skimmer: Skimmer = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "skimmer", Skimmer(self.knowledge.lab_codes, decode_part))
        object.__setattr__(self, "composer", CardComposer(self.knowledge, self.site))

    def answer(self, request: CdsRequest, client: CdsClient, as_of: datetime) -> tuple[CdsResponse, CallFacts]:
        """Answer one call of a client as of a point in time.

        Raises:
            cds_service.cds_hooks.errors.DataNotAvailable: the counts, or the right patient, could not be had.
        """
        reviewed = self.review(request, client, as_of)
        return reviewed.response, facts_of(reviewed, self.knowledge.version)

    def review(self, request: CdsRequest, client: CdsClient, as_of: datetime) -> Reviewed:
        """The answer with what it rests on.

        Raises:
            cds_service.cds_hooks.errors.DataNotAvailable: as `answer`.
        """
        fhir = self.fhir(client)
        with Phase("gathering"):
            skimmed = self.skimmer.skim(request.prefetch, request.context.patient_id)
            request = replace(request, prefetch=skimmed.documents)
            gathered = gather(request, self.description.prefetch, REQUIRED, fhir, self.deadline())
            _refuse_unknown_patient(gathered)
        with Phase("reading"):
            entries = tuple(chain.from_iterable(gathered.entries.values()))
            picture = self._read((*entries, *skimmed.versions_of(entries)), gathered, request, fhir, as_of)
        with Phase("assessing"):
            assessment = assess(picture, self.knowledge.guideline, as_of)
        return self._respond(gathered, assessment, request, client)

    def _respond(self, gathered: Gathered, assessment: Assessment, request: CdsRequest, client: CdsClient) -> Reviewed:
        """The answer, held against memory and kept there if there is one; a card that is for nobody is neither."""
        caller = _caller(request)
        withheld = withheld_because(assessment, caller, self.site)
        if withheld in FOR_NOBODY or (alert := assessment.alert) is None or not self.memory.keeps:
            with Phase("composing"):
                response = self.composer.compose(assessment, caller)
            return Reviewed(gathered, assessment, response, withheld=withheld)
        with Phase("remembering"):
            candidate = self.memory.candidate(assessment, alert, request, client, self.knowledge)
            remembered = self.memory.consider(candidate, self.knowledge.quieting)
        with Phase("composing"):
            response = self.composer.compose(assessment, caller, remembered.quieted, candidate.card.fingerprint)
        with Phase("remembering"):
            remembered = self.memory.keep(remembered, response, withheld)
        return Reviewed(gathered, assessment, response, remembered, withheld)

    def _read(
        self, entries: Sequence[Entry], gathered: Gathered, request: CdsRequest, fhir: FhirAccess, as_of: datetime
    ) -> ClinicalPicture:
        try:
            return read_clinical_picture(
                entries,
                request.context.patient_id,
                gathered.base_url,
                as_of,
                self.knowledge,
                not_available=(*gathered.not_available, *(key for key in gathered.incomplete if key != COUNTS)),
                counts_incomplete=COUNTS in gathered.incomplete,
                release=self.release or fhir.release_of(gathered.base_url),
            )
        except PatientMismatch as mismatch:
            raise DataNotAvailable(
                f"{mismatch} Send the Patient with the id of context.patientId.", (PATIENT,), "other-patient"
            ) from None


def describe(knowledge: Knowledge) -> ServiceDescription:
    """The discovery entry; its words are knowledge."""
    return ServiceDescription(
        id=SERVICE_ID,
        hook=HOOK,
        title=knowledge.wording["discovery.title"],
        description=knowledge.wording["discovery.description"],
        usage_requirements=knowledge.wording["discovery.usage_requirements"],
        prefetch=prefetch_templates(knowledge),
    )


def _refuse_unknown_patient(gathered: Gathered) -> None:
    """A server that knows no such patient finds no counts either: that is an error, not an empty chart."""
    if PATIENT in gathered.unknown_to_server and not gathered.entries[COUNTS]:
        raise DataNotAvailable(
            "The FHIR server has no Patient with the id of context.patientId; check that fhirServer and patientId "
            "belong together.",
            missing=(PATIENT, COUNTS),
            reason="unknown-patient",
        )


def _caller(request: CdsRequest) -> CallerFacts:
    context = request.context
    return CallerFacts(request.hook_instance, context.user_type, context.patient_id, request.fhir_server)


def facts_of(reviewed: Reviewed, knowledge_version: str) -> CallFacts:
    """What one log line says of it."""
    assessment, cards, remembered = reviewed.assessment, reviewed.response.cards, reviewed.remembered
    return CallFacts(
        verdicts={finding.finding.value: finding.verdict.value for finding in assessment.findings},
        card_ids=tuple(card.uuid for card in cards),
        indicator=cards[0].indicator if cards else None,
        knowledge_version=knowledge_version,
        fetched=reviewed.gathered.fetched_ms,
        not_available=assessment.picture.not_available,
        set_aside=Counter(one.reason.value for one in assessment.picture.set_aside),
        used=len(assessment.picture.counts),
        finding=assessment.alert.leading.value if assessment.alert else None,
        quieted_by=remembered.quieted.by if remembered and remembered.quieted else None,
        withheld=reviewed.withheld.value if assessment.alert and reviewed.withheld else None,
        memory_available=remembered is None or remembered.available,
    )
