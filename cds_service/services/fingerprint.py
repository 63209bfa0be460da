"""What stays the same when the same thing is said again: a keyed hash, and the ids made of it. Knows no wording."""

from collections.abc import Sequence
from datetime import UTC
from hashlib import sha1
from uuid import UUID

from cds_service.cds_hooks.response_json import encode_json
from cds_service.hematology.lab_results import CollectionTime, CompanionResult, CountResult
from cds_service.hematology.verdicts import Alert, Assessment
from cds_service.services.keyed_hash import keyed_hash

_NAMESPACE = sha1(UUID("5b1f2a53-6f0e-5d39-9b7a-0c6f3c1d8e42").bytes, usedforsecurity=False)
"""What every name-based UUID (version 5) of ours begins with, hashed once."""
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
    return _uuid5(f"{hook_instance} {fingerprint}")


def suggestion_id(hook_instance: str, fingerprint: str, suggestion: str) -> str:
    """The uuid of one suggestion of that card."""
    return _uuid5(f"{hook_instance} {fingerprint} {suggestion}")


def _uuid5(name: str) -> str:
    digest = _NAMESPACE.copy()
    digest.update(name.encode())
    return str(UUID(bytes=digest.digest()[:16], version=5))


def _results(assessment: Assessment) -> set[tuple[str, str, str]]:
    counts = [result for finding in assessment.findings for one in finding.occasions for result in one.results]
    behind = [*counts, *(result for _, result, _ in assessment.severity.critical)]
    times = written_times([result.collected for result in behind])
    return {(result.reference, _value(result), time) for result, time in zip(behind, times, strict=True)}


def written_times(collected: Sequence[CollectionTime]) -> list[str]:
    """The points in time, however a server spells them today; a date without time as it is."""
    moments = [one.day if one.instant is None else one.instant.astimezone(UTC) for one in collected]
    written = encode_json(moments).decode()  # as `isoformat` writes them, and all at once
    return written[2:-2].split('","') if moments else []


def _value(result: CountResult | CompanionResult) -> str:
    if isinstance(result, CompanionResult):
        return result.reported
    return result.analyte + " " + result.comparator + f"{result.value.normalize():f}"
