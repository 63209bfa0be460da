"""The C library's allocator, told how this server uses it. Knows no HTTP."""

import ctypes
from contextlib import suppress

_M_ARENA_MAX = -8


def use_one_heap() -> None:
    """Have all threads share one heap, before any is started.

    glibc gives threads heaps of their own, each of which keeps what its largest call took. Python's threads take turns
    anyway. A C library without this setting is left as it is.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
