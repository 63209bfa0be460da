"""Patients, users and results as keyed hashes: recognised when they come again, named nowhere.

Without the key nobody can tell whom or what one stands for. Knows no database and no card.
"""

from dataclasses import dataclass
from datetime import UTC

from cds_service.cds_hooks.clients import CdsClient
from cds_service.hematology.lab_results import CollectionTime, CompanionResult, CountResult, SetAside
from cds_service.services.issued_card import Pseudonym
from cds_service.services.keyed_hash import key_id, keyed_hash

_MARK_BYTES = 16


@dataclass(frozen=True)
class Pseudonyms:
    """Whom the site's key stands for. Every hash is HMAC-SHA256, hexadecimal."""

    key: bytes

    @property
    def key_id(self) -> str:
        """Tells hashes of one key from those of another."""
        return key_id(self.key)

    def patient(self, client: CdsClient, fhir_server: str | None, patient_id: str) -> Pseudonym:
        """A patient of a client. An id is unique on its FHIR server only, so the server belongs to it."""
        server = (fhir_server or "").rstrip("/")
        return self._pseudonym("patient", client.issuer, client.tenant, server, patient_id)

    def user(self, client: CdsClient, user_id: str) -> Pseudonym:
        """A user of a client, as the context of a call names them."""
        return self._pseudonym("user", client.issuer, client.tenant, user_id)

    def marks(self, patient: Pseudonym) -> "Marks":
        """The marks of one patient's results."""
        return Marks(self.key, patient.hash)

    def _pseudonym(self, *parts: str | None) -> Pseudonym:
        return Pseudonym(self.key_id, keyed_hash(self.key, parts))


@dataclass(frozen=True)
class Marks:
    """By what a result of one patient is recognised: analyte, value in 10*9/L and time to the minute.

    Its reference is no part of it: a server that gives a result another id has no other result; a corrected value, or
    one in place of another, is another one.
    """

    key: bytes
    patient: str

    def count(self, result: CountResult) -> str:
        """The mark of a count, whatever unit it is reported in."""
        return self._mark(result.analyte, f"{result.comparator}{result.value.normalize():f}", result.collected)

    def companion(self, result: CompanionResult) -> str:
        """The mark of a companion result, as reported."""
        return self._mark(result.kind, result.reported, result.collected)

    def set_aside(self, result: SetAside) -> str:
        """The mark of a result that can't be used, with the reason why."""
        return self._mark(result.analyte, f"{result.reason} {result.reported}", result.collected)

    def _mark(self, what: str, value: str, collected: CollectionTime | None) -> str:
        digest = keyed_hash(self.key, ["result", self.patient, what, value, _minute(collected) if collected else ""])
        return digest[: 2 * _MARK_BYTES]


def _minute(collected: CollectionTime) -> str:
    """An analyser's result and its validated copy differ in seconds; a date without time stays one."""
    if collected.instant is None:
        return collected.day.isoformat()
    return collected.instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
