"""Where a client's keys come from: a file, or a URL with a cache. Knows no token; the clock is handed in.

A call whose key is known never waits for a server that fails. One thread at a time fetches, for all calls.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from cds_service.client_authentication.refusals import KeysUnavailable
from cds_service.client_authentication.signing_keys import KeySet, SigningKey, read_key_set
from cds_service.outbound.client import HttpClient
from cds_service.outbound.deadline import Deadline
from cds_service.outbound.urls import HttpUrl

FETCH_SECONDS = 2.0
"""How long one fetch may take, from name to last byte."""
REFRESH_AFTER_SECONDS = 300.0
"""Older keys are still used while newer ones are fetched beside the call."""
MAX_AGE_SECONDS = 900.0
"""Before older keys are used, newer ones are asked for; when that fails, the last good ones stay."""
PATIENCE_SECONDS = 0.5
"""How long a probe of readiness waits for the first keys."""
PAUSE_SECONDS = 10.0
"""No second fetch within this time of the last one, whatever keys are asked for..."""
PAUSE_AFTER_FAILURE_SECONDS = 30.0
"""...and within this time of one that failed."""

Tell = Callable[[str, str, Mapping[str, object]], None]
"""Writes one log line: level, event, members."""


class KeySource(Protocol):
    """The keys of one client."""

    def find(self, kid: str) -> SigningKey | None:
        """The key with this id, None when the client has no such key.

        Raises:
            KeysUnavailable: no key could be had so far.
        """
        ...

    def works(self) -> bool:
        """Whether there are keys, and the last look for newer ones succeeded; the first may be made for it."""
        ...


class FileKeys:
    """Keys from a file, read again when it changes. A broken or vanished file leaves the last good keys."""

    def __init__(self, path: Path, issuer: str, tell: Tell) -> None:
        """Raises OSError or KeySetUnreadable when the file can't be used to begin with."""
        self._path = path
        self._about = {"client": issuer, "file": path.name}
        self._tell = tell
        self._stamp = self._stamp_now()
        self._keys = read_key_set(path.read_bytes())
        self._failing = False

    @property
    def count(self) -> int:
        """How many usable keys there are."""
        return len(self._keys.keys)

    def find(self, kid: str) -> SigningKey | None:
        """The key with this id in the file as it is now."""
        self._look()
        return self._keys.keys.get(kid)

    def works(self) -> bool:
        """Whether the file as it is now could be read."""
        self._look()
        return not self._failing

    def _look(self) -> None:
        stamp = self._stamp_now()
        if stamp != self._stamp:
            self._stamp = stamp
            self._read_again()

    def _read_again(self) -> None:
        self._failing = True
        try:
            self._keys = read_key_set(self._path.read_bytes())
            self._failing = False
        except (OSError, ValueError):
            self._tell("warning", "client-keys-not-read", self._about)
        else:
            self._tell("info", "client-keys-read", self._about | _counted(self._keys))

    def _stamp_now(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


class FetchedKeys:
    """Keys from a URL, kept; `download` gives the document or raises OSError or ValueError with a reason code."""

    def __init__(
        self, download: Callable[[], bytes], issuer: str, tell: Tell, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is fetched before the first call, so that this may be made before a process forks."""
        self._download = download
        self._about = {"client": issuer}
        self._tell = tell
        self._clock = clock
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._next_try = float("-inf")
        self._failing = False
        self._lock = threading.Lock()
        self._fetcher = ThreadPoolExecutor(max_workers=1, thread_name_prefix="client-keys")
        self._fetch_under_way: Future[None] = Future()
        self._fetch_under_way.set_result(None)

    def find(self, kid: str) -> SigningKey | None:
        """The key with this id; one that isn't known is looked for once more at the URL."""
        keys, age = self._keys, self._clock() - self._fetched_at
        if keys is None or kid not in keys.keys or (age >= MAX_AGE_SECONDS and not self._failing):
            self._wait(self._refresh())
        elif age >= REFRESH_AFTER_SECONDS:
            self._refresh()
        if self._keys is None:
            raise KeysUnavailable
        return self._keys.keys.get(kid)

    def works(self) -> bool:
        """Whether keys were fetched, and the last fetch didn't fail; the first is made now, and waited for a moment."""
        if self._keys is None:
            self._wait(self._refresh(), PATIENCE_SECONDS)
        return self._keys is not None and not self._failing

    def _refresh(self) -> Future[None]:
        """The fetch under way; a new one begins when none is and the last one is long enough ago."""
        with self._lock:
            if self._fetch_under_way.done() and self._clock() >= self._next_try:
                self._fetch_under_way = self._fetcher.submit(self._fetch)
            return self._fetch_under_way

    @staticmethod
    def _wait(fetch: Future[None], seconds: float = FETCH_SECONDS + 1) -> None:
        with suppress(NotInTime):
            fetch.result(seconds)

    def _fetch(self) -> None:
        try:
            keys = read_key_set(self._download())
        except (OSError, ValueError) as error:
            self._failing = True
            self._next_try = self._clock() + PAUSE_AFTER_FAILURE_SECONDS
            self._tell("warning", "client-keys-not-fetched", self._about | {"reason": str(error)})
            return
        if self._keys is None or self._keys.keys.keys() != keys.keys.keys():
            self._tell("info", "client-keys-fetched", self._about | _counted(keys))
        self._keys, self._fetched_at, self._failing = keys, self._clock(), False
        self._next_try = self._fetched_at + PAUSE_SECONDS


def download_key_set(http: HttpClient, url: HttpUrl, deadline: Deadline | None = None) -> bytes:
    """The document at a JWKS URL: no redirect, no forbidden address, one deadline, a limited size.

    Without a deadline of the caller's own it has FETCH_SECONDS.

    Raises:
        OSError: no answer; its text is a reason code.
        ValueError: another status than 200.
    """
    headers = {"Accept": "application/jwk-set+json, application/json", "User-Agent": "cytopenia-cds"}
    answer = http.send("GET", url, headers, None, deadline or Deadline.after(FETCH_SECONDS))
    if answer.status != 200:
        raise ValueError(f"status-{answer.status}")
    return answer.body


def _counted(keys: KeySet) -> dict[str, object]:
    return {"keys": len(keys.keys), "leftOut": keys.left_out}
