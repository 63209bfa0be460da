"""Keeps the synthetic patients recent while the sandbox runs for days. Knows no HTTP; the day is told to it."""

import threading
from collections.abc import Callable
from datetime import date

from cds_service.sandbox.date_shift import shift_dates
from cds_service.sandbox.fhir_server.store import FhirStore


class Dating:
    """The resources that are in a store now, moved on whenever a new day has begun; later ones keep their dates."""

    def __init__(self, store: FhirStore, dated_to: date, today: Callable[[], date]) -> None:
        self._store = store
        self._dated_to = dated_to
        self._today = today
        self._lock = threading.Lock()
        self._dated = [(kind, str(one["id"])) for kind in store.types() for one in store.all(kind)]

    def keep_up(self) -> None:
        """Move them, changed as they may be since, by the days that have passed."""
        with self._lock:
            today = self._today()
            days = (today - self._dated_to).days
            self._dated_to = today
        if days == 0:
            return
        for kind, resource_id in self._dated:
            found = self._store.find(kind, resource_id)
            if found is not None:
                self._store.put(shift_dates(found, days))
