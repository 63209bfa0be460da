"""How the cost of a call grows: with the bytes sent, and with resources that are beside the point. In this process.

Also one call with 20,000 compact results. Processor time of one thread, the least of some calls.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import process_time

import orjson
from flask.testing import FlaskClient

from benchmarks.many_results import NOW, client, results, seconds_of_cpu
from benchmarks.payload import COUNTS, OTHERS, call_with, history, observation

_SIZES = (60, 250, 1000, 4000)
_RELEVANT = 100
_BESIDE_THE_POINT = (0, 1000, 4000)
_COMPACT = 20_000


@dataclass(frozen=True)
class Cost:
    """What one call of so many Observations took."""

    observations: int
    megabytes: float
    seconds: float
    decoding_seconds: float
    """What orjson takes to decode the same bytes."""


@dataclass(frozen=True)
class Growth:
    """All that was measured here."""

    by_bytes: list[Cost]
    by_irrelevant: list[Cost]
    compact: Cost


def measure_growth(advance: Callable[[str], None]) -> Growth:
    """Measure all, telling what comes next."""
    with _asked() as asked:
        by_bytes = []
        for size in _SIZES:
            advance(f"growth: {size} Observations")
            by_bytes.append(_cost(asked, size, call_with(history(size, NOW))))
        by_irrelevant = []
        for size in _BESIDE_THE_POINT:
            advance(f"growth: {size} beside the point")
            by_irrelevant.append(_cost(asked, size, _with_others(size)))
        advance(f"growth: {_COMPACT} compact results")
        compact = _cost(asked, _COMPACT, call_with(results(_COMPACT, compact=True, only_counts=False)))
    return Growth(by_bytes, by_irrelevant, compact)


GROWTH_STEPS = len(_SIZES) + len(_BESIDE_THE_POINT) + 1


@contextmanager
def _asked() -> Iterator[FlaskClient]:
    with tempfile.TemporaryDirectory() as folder:
        yield client(folder, max_body_bytes=2**26)


def _with_others(number: int) -> bytes:
    """A fixed history of counts, and so many other tests between and after them."""
    made = []
    for index in range(_RELEVANT + number):
        code, name, unit, value = COUNTS[index % 2] if index < _RELEVANT else OTHERS[index % 2]
        made.append(observation(index, code, name, unit, value, NOW - timedelta(days=2 + index * 3.5 % 350)))
    return call_with(made)


def _cost(asked: FlaskClient, observations: int, body: bytes) -> Cost:
    calls = max(3, min(30, 6_000_000 // len(body)))
    seconds = min(seconds_of_cpu(asked, body) for _ in range(calls))
    return Cost(observations, len(body) / 1e6, seconds, min(_decoding(body) for _ in range(calls)))


def _decoding(body: bytes) -> float:
    began = process_time()
    orjson.loads(body)
    return process_time() - began
