"""Synthetic clinical pictures in short notes, judged and composed: what the tests of cards start from.

Days are counted back from `AS_OF`; collection times carry the offset -05:00. Conditions and drugs are matched by the
shipped knowledge, whose version is replaced so that a card doesn't change with every file.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any

from cds_service.cds_hooks.cards import Card, CdsResponse
from cds_service.hematology.assessment import assess
from cds_service.hematology.clinical_picture import (
    ClinicalPicture,
    PatientFacts,
    RecordedCondition,
    RecordedMedication,
)
from cds_service.hematology.criteria import Guideline
from cds_service.hematology.lab_results import (
    Analyte,
    CollectionTime,
    CompanionKind,
    CompanionResult,
    CountResult,
    SetAside,
    SetAsideReason,
)
from cds_service.hematology.verdicts import Assessment
from cds_service.knowledge.loader import load_knowledge
from cds_service.knowledge.model import Knowledge
from cds_service.services.card_composer import CallerFacts, CardComposer, SiteOptions

AS_OF = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
CALLER = CallerFacts("0c6f0a54-8c5b-4d0a-9d5b-1d8a7d5f9a11", "Practitioner", "synthetic-1")
SITE = SiteOptions("0.1.0", "https://cds.example.org", b"a key for tests only, of 32 bytes")
ZONE = timezone(timedelta(hours=-5))
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


@cache
def knowledge() -> Knowledge:
    """The shipped knowledge under a fixed version."""
    return replace(load_knowledge(), version="2026.1+test")


def at(days: float, hour: int = 7) -> CollectionTime:
    """A collection time that many days before `AS_OF`, at a quarter past that hour."""
    instant = (AS_OF - timedelta(days=days)).astimezone(ZONE).replace(hour=hour, minute=15)
    return CollectionTime(instant.isoformat(), instant.date(), instant)


def on(days: float) -> date:
    """The calendar date that many days before `AS_OF`."""
    return (AS_OF - timedelta(days=days)).date()


@dataclass
class Chart:
    """A picture being put together; every note returns the chart."""

    parts: dict[str, Any] = field(default_factory=dict)
    guideline: Guideline | None = None

    def _with(self, part: str, *records: object) -> "Chart":
        return replace(self, parts=self.parts | {part: (*self.parts.get(part, ()), *records)})

    def count(self, analyte: str, number: str, days: float, unit: str = "10*3/uL", **members: Any) -> "Chart":
        """A count; `factor` (default 1) takes its number to 10*9/L, `hour` (default 7) is when."""
        factor = Decimal(members.pop("factor", "1"))
        collected = replace(at(days, members.pop("hour", 7)), from_issued=members.pop("from_issued", False))
        name = f"Observation/{analyte[:3]}-{len(self.parts.get('counts', ())) + 1}"
        value = Decimal(number) * factor
        return self._with("counts", CountResult(name, Analyte(analyte), collected, value, number, unit, **members))

    def wbc(self, number: str, days: float, unit: str = "10*3/uL", **members: Any) -> "Chart":
        """A leukocyte count."""
        return self.count("leukocytes", number, days, unit, **members)

    def platelets(self, number: str, days: float, unit: str = "10*3/uL", **members: Any) -> "Chart":
        """A platelet count."""
        return self.count("platelets", number, days, unit, **members)

    def companion(self, kind: str, reported: str, days: float, present: bool | None = None) -> "Chart":
        """A companion result."""
        result = CompanionResult(f"Observation/{kind}", CompanionKind(kind), at(days), reported, present=present)
        return self._with("companions", result)

    def condition(self, code: str, days: float | None, text: str = "", system: str = ICD) -> "Chart":
        """A condition with its onset, matched by the shipped catalogue."""
        matches = knowledge().causes.match_codings(((system, code),))
        assert matches, f"the catalogue doesn't know {code}"
        onset = None if days is None else on(days)
        record = RecordedCondition(f"Condition/{code}", text, onset=onset, matches=matches)
        return self._with("conditions", record)

    def drug(self, code: str, start: float, text: str = "", end: float | None = None) -> "Chart":
        """A drug by RxNorm ingredient, current unless it has an end."""
        matches = knowledge().causes.match_codings(((RXNORM, code),))
        assert matches, f"the catalogue doesn't know {code}"
        last = None if end is None else on(end)
        record = RecordedMedication(
            f"MedicationRequest/{code}", text, on(start), last, end is None, (on(start),), matches=matches
        )
        return self._with("medications", record)

    def aside(
        self, analyte: str, reason: str, days: float | None, reported: str = "", *, unreadable: bool = False
    ) -> "Chart":
        """A result set aside."""
        number = len(self.parts.get("set_aside", ())) + 1
        collected = None if days is None else at(days)
        one = SetAside(
            f"Observation/aside-{number}", Analyte(analyte), SetAsideReason(reason), collected, reported, unreadable
        )
        return self._with("set_aside", one)

    def patient(self, **facts: Any) -> "Chart":
        """What the Patient resource says."""
        return replace(self, parts=self.parts | {"patient": PatientFacts(**facts)})

    def lacking(self, **members: Any) -> "Chart":
        """Members of the picture that say what could not be had."""
        return replace(self, parts=self.parts | members)

    @property
    def picture(self) -> ClinicalPicture:
        """The picture."""
        return ClinicalPicture(**self.parts)

    @property
    def known(self) -> Knowledge:
        """The knowledge it is judged by."""
        return knowledge() if self.guideline is None else replace(knowledge(), guideline=self.guideline)

    @property
    def assessment(self) -> Assessment:
        """The picture, judged."""
        return assess(self.picture, self.known.guideline, AS_OF)

    def response(self, caller: CallerFacts = CALLER, site: SiteOptions = SITE) -> CdsResponse:
        """Judged and composed."""
        return CardComposer(self.known, site).compose(self.assessment, caller)

    @property
    def card(self) -> Card:
        """The one card."""
        (card,) = self.response().cards
        return card


def chart(counts: Iterable[tuple[str, str, float]] = ()) -> Chart:
    """A chart, with plain counts where given: (analyte, number, days)."""
    made = Chart()
    for analyte, number, days in counts:
        made = made.count(analyte, number, days)
    return made
