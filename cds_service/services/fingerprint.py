"""What stays the same when the same thing is said again: a keyed hash, and the ids made of it. Knows no wording."""

from datetime import UTC
from uuid import UUID, uuid5

from cds_service.hematology.lab_results import CollectionTime, CompanionResult, CountResult
from cds_service.hematology.verdicts import Alert, Assessment
from cds_service.services.keyed_hash import keyed_hash

_NAMESPACE = UUID("5b1f2a53-6f0e-5d39-9b7a-0c6f3c1d8e42")
_BYTES = 16


def fingerprint_of(assessment: Assessment, alert: Alert, knowledge_version: str, key: bytes) -> str:
    """HMAC-SHA256, cut to 128 bits, of finding, severity band, the results behind it and the knowledge version.

    Hexadecimal. Without the key nobody can tell which results it stands for.
    """
    told = [
        alert.leading,
        alert.situation,
        sorted(reason for reason, *_ in assessment.severity.critical),
        sorted(assessment.severity.grades),
        sorted(_results(assessment)),
        knowledge_version,
    ]
    return keyed_hash(key, told)[: 2 * _BYTES]


def card_id(hook_instance: str, fingerprint: str) -> str:
    """The card's uuid: the same for a retry of one hook instance, another one for another instance."""
    return str(uuid5(_NAMESPACE, f"{hook_instance} {fingerprint}"))


def suggestion_id(hook_instance: str, fingerprint: str, suggestion: str) -> str:
    """The uuid of one suggestion of that card."""
    return str(uuid5(_NAMESPACE, f"{hook_instance} {fingerprint} {suggestion}"))


def _results(assessment: Assessment) -> set[tuple[str, str, str]]:
    counts = [result for finding in assessment.findings for one in finding.occasions for result in one.results]
    behind = (*counts, *(result for _, result, _ in assessment.severity.critical))
    return {(result.reference, _value(result), _time(result.collected)) for result in behind}


def _time(collected: CollectionTime) -> str:
    """The point in time, however a server spells it today; a date without time as it is."""
    if collected.instant is None:
        return collected.day.isoformat()
    return collected.instant.astimezone(UTC).isoformat()


def _value(result: CountResult | CompanionResult) -> str:
    if isinstance(result, CompanionResult):
        return result.reported
    return f"{result.analyte} {result.comparator}{result.value.normalize():f}"
