"""Launches and visits, kept sealed on the server: whoever reads the store without the key reads nothing of them.

What is stored is named by a digest of its id, so that the store alone opens no session. Knows no HTTP.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from cryptography.fernet import Fernet, InvalidToken
from pydantic import TypeAdapter, ValidationError

from cds_service.smart_app.authorization import PendingLaunch
from cds_service.smart_app.tokens import Grant


@dataclass(frozen=True)
class Visit:
    """One opened chart: which EHR, what it granted, to which browser, until when it may be kept.

    `user` is who looks at it, as Type/id, where the EHR says so.
    """

    fhir_server: str
    token_endpoint: str
    browser: str
    grant: Grant
    ends_at: datetime
    user: str | None = None


class SealedStore(Protocol):
    """Where sealed values are kept, by name, until they expire."""

    def put(self, name: str, sealed: bytes, expires_at: datetime, now: datetime) -> None:
        """Keep a value; one that is there under this name is replaced."""
        ...

    def find(self, name: str, now: datetime) -> bytes | None:
        """The value, None where there is none, or no more."""
        ...

    def take(self, name: str, now: datetime) -> bytes | None:
        """The value, once: of several takers one gets it."""
        ...


Kept = TypeVar("Kept")
_LAUNCH = TypeAdapter(PendingLaunch)
_VISIT = TypeAdapter(Visit)


class Sessions:
    """Launches by `state`, visits by their id, sealed with a Fernet key."""

    def __init__(self, store: SealedStore, key: bytes) -> None:
        self._store = store
        self._seal = Fernet(key)

    def keep_launch(self, state: str, launch: PendingLaunch, now: datetime) -> None:
        """Remember a launch until the browser is back.

        Raises:
            StoreUnavailable: it can't be remembered.
        """
        self._store.put(_name("launch", state), self._sealed(_LAUNCH, launch), launch.expires_at, now)

    def take_launch(self, state: str, now: datetime) -> PendingLaunch | None:
        """The launch of this state, once.

        Raises:
            StoreUnavailable: it can't be told.
        """
        return self._opened(_LAUNCH, self._store.take(_name("launch", state), now))

    def keep_visit(self, visit_id: str, visit: Visit, now: datetime) -> None:
        """Remember a visit, or its renewed tokens.

        Raises:
            StoreUnavailable: it can't be remembered.
        """
        self._store.put(_name("visit", visit_id), self._sealed(_VISIT, visit), visit.ends_at, now)

    def find_visit(self, visit_id: str, now: datetime) -> Visit | None:
        """The visit with this id.

        Raises:
            StoreUnavailable: it can't be told.
        """
        return self._opened(_VISIT, self._store.find(_name("visit", visit_id), now))

    def _sealed(self, kind: TypeAdapter[Kept], value: Kept) -> bytes:
        return self._seal.encrypt(kind.dump_json(value))

    def _opened(self, kind: TypeAdapter[Kept], sealed: bytes | None) -> Kept | None:
        if sealed is None:
            return None
        try:
            return kind.validate_json(self._seal.decrypt(sealed))
        except (InvalidToken, ValidationError):  # sealed with another key, or by another version
            return None


def _name(kind: str, secret: str) -> str:
    return hashlib.sha256(f"{kind}:{secret}".encode("utf-8", "surrogatepass")).hexdigest()
