"""Conditions that stand: not refuted, not resolved, not abated. What they mean is the knowledge's.

Room: fhir_reading. A condition whose standing or code can't be understood is counted, never taken for absent.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from cds_service.fhir_reading.codings import codes_of, codings_of, display_of
from cds_service.fhir_reading.dates import read_day, read_span
from cds_service.fhir_reading.projection import CONCEPT, DATE, PERIOD, Json, ResourceShape, is_empty, text_at
from cds_service.fhir_reading.releases import Validated, validated
from cds_service.hematology.clinical_picture import RecordedCondition
from cds_service.knowledge.model import CauseCatalogue

CONDITION = ResourceShape(
    "Condition",
    {
        "verificationStatus": CONCEPT,
        "clinicalStatus": CONCEPT,
        "onsetDateTime": DATE,
        "onsetPeriod": PERIOD,
        "abatementDateTime": DATE,
        "abatementPeriod": PERIOD,
        "recordedDate": DATE,
    },
)
_NOT_HELD = frozenset({"refuted", "entered-in-error", "differential"})
_VERIFICATIONS = _NOT_HELD | {"unconfirmed", "provisional", "confirmed"}
_STANDING = frozenset({"active", "recurrence", "relapse"})
_CLINICAL = _STANDING | {"inactive", "remission", "resolved", "unknown"}


@dataclass(frozen=True)
class ReadCondition:
    """A condition that stands; `mapped`: its standing and at least one of its codes are understood."""

    recorded: RecordedCondition
    mapped: bool


def read_condition(resource: Json, reference: str, catalogue: CauseCatalogue, as_of: datetime) -> ReadCondition | None:
    """One condition of this patient; None: it doesn't stand."""
    condition = validated(resource, CONDITION)
    stands = _stands(condition, resource, as_of)
    if stands is False:
        return None
    codings = codings_of(resource.get("code"))
    understood = any(catalogue.understands_code(*coding) for coding in codings)
    onset, recorded = _dates(condition.elements)
    return ReadCondition(
        RecordedCondition(
            reference=reference,
            display=display_of(resource.get("code")),
            onset=onset,
            recorded=recorded,
            matches=catalogue.match_codings(codings) if stands else (),
        ),
        mapped=stands is True and understood,
    )


def _stands(condition: Validated, resource: Json, as_of: datetime) -> bool | None:
    """Whether a condition counts as of a point in time; None: what the record says of it isn't understood."""
    verification = _status(condition, "verificationStatus", _VERIFICATIONS)
    clinical = _status(condition, "clinicalStatus", _CLINICAL)
    if (
        verification & _NOT_HELD
        or clinical & (_CLINICAL - _STANDING)
        or _is_abated(condition.elements, resource, as_of)
    ):
        return False
    modified = not is_empty(resource.get("modifierExtension")) or not is_empty(resource.get("implicitRules"))
    unclear = [
        condition.has(name) and not codes
        for name, codes in (("verificationStatus", verification), ("clinicalStatus", clinical))
    ]
    return None if modified or any(unclear) else True


def _status(condition: Validated, name: str, known: frozenset[str]) -> frozenset[str]:
    """The codes of a status that FHIR knows; where none is coded, its text, when that is such a code."""
    concept = condition.elements.get(name)
    stated = (text_at(concept, "text") or "").lower()
    return (codes_of(concept) & known) or frozenset({stated} & known)


def _is_abated(condition: Json, resource: Json, as_of: datetime) -> bool:
    """Whether an end is recorded that isn't in the future; an end that can't be dated is past."""
    period = condition.get("abatementPeriod", {})
    dated = condition.get("abatementDateTime") or period.get("start") or period.get("end")
    if dated is not None:
        span = read_span(dated)
        return span is None or span[0] <= as_of.astimezone(UTC).date()
    names = ("abatementString", "abatementAge", "abatementRange", "abatementDateTime", "abatementPeriod")
    return any(not is_empty(resource.get(name)) for name in names)


def _dates(condition: Json) -> tuple[date | None, date | None]:
    """Onset and day of record. The day of record doesn't stand in for an onset that is given less precisely."""
    given = condition.get("onsetDateTime") or condition.get("onsetPeriod", {}).get("start")
    onset = read_day(given)
    return onset, read_day(condition.get("recordedDate")) if given is None or onset is not None else None
