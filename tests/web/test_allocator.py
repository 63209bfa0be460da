"""All threads of a server share one heap, which keeps what a large call took: its memory is that of its calls."""

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, sys
from threading import Barrier, Thread
from cds_service.web.allocator import keep_one_heap

if sys.argv[1] == "one":
    keep_one_heap()
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
LARGE_CALLS = """
import resource, sys
from cds_service.web.allocator import keep_one_heap

if sys.argv[1] == "one":
    keep_one_heap()

def call():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    parts = [b"x" * 2_000_000 for _ in range(4)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

call(), call()
print(call())
"""


def run(program: str, how: str) -> str:
    told = subprocess.run([sys.executable, "-c", program, how], capture_output=True, text=True, timeout=60, check=True)
    return told.stdout


def heaps(how: str) -> int:
    return run(PROGRAM, how).count("<heap nr=")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's own")
def test_threads_share_one_heap_and_would_not_otherwise() -> None:
    assert heaps("one") == 1
    assert heaps("many") > 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's own")
def test_a_large_call_takes_the_memory_of_the_one_before_and_would_not_otherwise() -> None:
    assert int(run(LARGE_CALLS, "one")) < int(run(LARGE_CALLS, "many")) / 2
