"""Fourth step: laboratory codes that the service doesn't look for, so that a count under one of them is found out."""

from collections import Counter
from collections.abc import Iterable, Iterator

from cds_service.doctor.failures import failure_of
from cds_service.doctor.steps import Outcome, Step
from cds_service.fhir_reading.codings import codings_of
from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.projection import members
from cds_service.fhir_reading.server import Fetched
from cds_service.knowledge.model import Knowledge
from cds_service.services.chart_text import clean_text

_TITLE = "Codes not read"
_SHOWN = 20
_ADVICE = "If one of these is the laboratory's code of a count we read, map it: docs/how-to/map-local-codes.md."


def laboratory_query(patient_id: str) -> str:
    """Every recent laboratory result, whatever its code."""
    return f"Observation?patient={patient_id}&category=laboratory&_sort=-date&_count=200"


def codes_step(fetched: Fetched, knowledge: Knowledge, counts_read: bool) -> Step:
    """The codes met that mean nothing to us. A problem only where no count was read under ours."""
    if fetched.failed:
        failure = failure_of(fetched.reason, "Observation")
        says = f"The search for all laboratory results failed. {failure.says} The service itself doesn't need it."
        return Step(_TITLE, Outcome.NOTE, (says,), facts={"reason": fetched.reason})
    unread = Counter(_unread(fetched.entries, knowledge))
    facts = {"results": len(fetched.entries), "codesNotRead": dict(unread.most_common())}
    if not unread:
        says = f"{len(fetched.entries)} laboratory results were looked at; none has a code that isn't known."
        return Step(_TITLE, Outcome.FINE if counts_read else Outcome.NOTE, (says,), facts=facts)
    told = ", ".join(f"{token} ({number})" for token, number in unread.most_common(_SHOWN))
    more = f", and {len(unread) - _SHOWN} more codes" if len(unread) > _SHOWN else ""
    says = (
        f"{unread.total()} of the codes of {len(fetched.entries)} laboratory results mean nothing to us: {told}{more}."
    )
    return Step(_TITLE, Outcome.NOTE if counts_read else Outcome.PROBLEM, (says,), (_ADVICE,), facts)


def _unread(entries: Iterable[Entry], knowledge: Knowledge) -> Iterator[str]:
    for entry in entries:
        for coded in (entry.resource, *members(entry.resource, "component")):
            codings = codings_of(coded.get("code"))
            if not any(coding in knowledge.lab_codes for coding in codings):
                yield _token(codings)


def _token(codings: tuple[tuple[str, str], ...]) -> str:
    return clean_text("|".join(codings[0])) if codings else "no code at all"
