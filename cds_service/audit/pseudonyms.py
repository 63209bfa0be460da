"""Patients and users of the audit trail as keyed hashes, the same for one id whoever asks. Knows no request.

They are made apart from those that the memory of cards is kept by: the one can't be joined to the other.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass

from cds_service.services.issued_card import Pseudonym

_KEY_ID_CHARACTERS = 12


@dataclass(frozen=True)
class AuditPseudonyms:
    """HMAC-SHA256 with the site's key (CDS_PSEUDONYM_KEY), hexadecimal. Without the key none can be told or tried."""

    key: bytes

    @property
    def key_id(self) -> str:
        """Tells hashes of one key from those of another."""
        return self._hash("key")[:_KEY_ID_CHARACTERS]

    def patient(self, patient_id: str) -> Pseudonym:
        """A patient by its FHIR id alone, so that a search needs no more than that; the entry tells the client."""
        return Pseudonym(self.key_id, self._hash("audit", "patient", patient_id))

    def user(self, user_id: str) -> Pseudonym:
        """A user, as the context of a call names them."""
        return Pseudonym(self.key_id, self._hash("audit", "user", user_id))

    def _hash(self, *parts: str) -> str:
        return hmac.new(self.key, json.dumps(parts).encode(), hashlib.sha256).hexdigest()
