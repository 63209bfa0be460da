"""What was read of a part once in a call isn't read again: parts that are spelled alike were decoded as one object.

Room: fhir_reading. Knows no part's meaning, and goes by identity alone: equal parts that are two objects
are read twice.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar, cast

_Read = TypeVar("_Read", bound=Callable[..., Any])
_KNOWN: ContextVar[dict[tuple[object, ...], tuple[object, Any]] | None] = ContextVar("known", default=None)


def once_a_call(read: _Read) -> _Read:
    """A pure function of its positional arguments, asked once a call for the same ones."""

    @wraps(read)
    def asked(*given: object, **named: object) -> Any:  # noqa: ANN401 - what `read` gives
        known = _KNOWN.get()
        if known is None or named:
            return read(*given, **named)
        key = (read, *map(id, given))
        found = known.get(key)
        if found is None:
            # The arguments are kept beside what was read, so that no other object gets their identity meanwhile.
            found = known[key] = (given, read(*given))
        return found[1]

    return cast("_Read", asked)


@contextmanager
def parts_shared() -> Iterator[None]:
    """Around the reading of a call: nothing of a chart stays here once it is over."""
    token = _KNOWN.set({})
    try:
        yield
    finally:
        _KNOWN.reset(token)
