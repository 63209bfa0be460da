"""Texts as long as a body can hold, at every place of every resource: read in time that grows with their length."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from cds_service.fhir_reading.entries import Entry
from tests.builders.fhir import PATIENT, read, replaced
from tests.fhir_reading.test_mangled import FULL, SPOTS, check

LENGTH = 200_000
TEXTS = {
    "one word": "a" * LENGTH,
    "digits": "9" * LENGTH,
    "negated words": "clumps absent " * (LENGTH // 14),
    "words": "no clump " * (LENGTH // 9),
    "clauses": "1. " * (LENGTH // 3),
}
HANGING = 60
"""Seconds of processor time, where milliseconds are usual: more is no question of the machine."""


@contextmanager
def _unless_it_hangs() -> Iterator[None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise AssertionError("the time grows faster than the text")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, HANGING)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", [name for name in FULL if " of " not in name])
def test_a_long_text_anywhere_is_read(name: str, text: str) -> None:
    for path in (path for of, path in SPOTS if of == name):
        sent: dict[str, Any] = replaced(FULL[name], path, TEXTS[text])
        if name == "Patient":
            sent["id"] = PATIENT
        with _unless_it_hangs():
            check(read(Entry(sent)))
