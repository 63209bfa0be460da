"""The C library's allocator, told how this server uses it. Knows no HTTP."""

import ctypes
from contextlib import suppress

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_KEPT_BYTES = 16 * 1024 * 1024
"""What a call with a long history takes, and some."""


def keep_one_heap() -> None:
    """Have all threads share one heap, before any is started, and keep so much of it for the next call.

    glibc gives threads heaps of their own, each of which keeps what its largest call took; Python's threads take turns
    anyway. Of one heap it would hand back all that a large call leaves, for the kernel to clear it page by page at the
    next one. A C library without these settings is left as it is.
    """
    with suppress(AttributeError, OSError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(_M_ARENA_MAX, 1)
        set_option(_M_MMAP_THRESHOLD, _KEPT_BYTES // 2)
        set_option(_M_TRIM_THRESHOLD, _KEPT_BYTES)
