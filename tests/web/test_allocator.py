"""All threads of a server share one heap, so that its memory is that of its calls and not of its threads."""

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, sys
from threading import Barrier, Thread
from cds_service.web.allocator import use_one_heap

if sys.argv[1] == "one":
    use_one_heap()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = Barrier(8)

def allocate():
    together.wait(60)
    libc.malloc(ctypes.c_size_t(100))
    together.wait(60)

threads = [Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def heaps(how: str) -> int:
    told = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, timeout=60, check=True)
    return told.stdout.count("<heap nr=")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's own")
def test_threads_share_one_heap_and_would_not_otherwise() -> None:
    assert heaps("one") == 1
    assert heaps("many") > 1
