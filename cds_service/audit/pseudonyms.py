"""Patients and users of the audit trail as keyed hashes, the same for one id whoever asks. Knows no request.

They are made apart from those that the memory of cards is kept by: the one can't be joined to the other.
"""

from dataclasses import dataclass

from cds_service.services.issued_card import Pseudonym
from cds_service.services.keyed_hash import key_id, keyed_hash


@dataclass(frozen=True)
class AuditPseudonyms:
    """HMAC-SHA256 with the site's key (CDS_PSEUDONYM_KEY), hexadecimal. Without the key none can be told or tried."""

    key: bytes

    @property
    def key_id(self) -> str:
        """Tells hashes of one key from those of another."""
        return key_id(self.key)

    def patient(self, patient_id: str) -> Pseudonym:
        """A patient by its FHIR id alone, so that a search needs no more than that; the entry tells the client."""
        return self._pseudonym("patient", patient_id)

    def user(self, user_id: str) -> Pseudonym:
        """A user, as the context of a call names them."""
        return self._pseudonym("user", user_id)

    def _pseudonym(self, *parts: str) -> Pseudonym:
        return Pseudonym(self.key_id, keyed_hash(self.key, ["audit", *parts]))
