"""Rows behind the answers: all are written, once, in order; those that never can be are told, and nobody else pays."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.records.database import RowRefused
from cds_service.records.write_queue import AT_ONCE, WriteQueue
from tests.builders.behind import LONG


class Book:
    """A database that does as it is told: `closed` it fails, it takes no `bad` row, and `gate` holds up each write."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.batches: list[int] = []
        self.lost: list[int] = []
        self.closed = False
        self.bad: dict[int, Exception] = {}
        self.gate = Event()
        self.asked = Event()
        self.gate.set()

    def write(self, rows: Sequence[int]) -> None:
        self.asked.set()
        assert self.gate.wait(LONG)
        if self.closed:
            raise StoreUnavailable("synthetic")
        for row in rows:
            if row in self.bad:
                raise self.bad[row]
        self.rows += rows
        self.batches.append(len(rows))

    def queue(self, capacity: int = 1000) -> WriteQueue[int]:
        return WriteQueue(self.write, self.lost.extend, capacity)


@pytest.fixture
def book() -> Book:
    return Book()


def put(queue: WriteQueue[int], rows: Sequence[int]) -> list[bool]:
    return [queue.put([row]) for row in rows]


def test_what_was_put_is_written_once_and_in_order(book: Book) -> None:
    queue = book.queue()
    assert all(put(queue, range(500)))
    assert queue.flush(LONG)
    assert book.rows == list(range(500))
    assert max(book.batches) <= AT_ONCE


def test_those_that_came_meanwhile_are_written_together(book: Book) -> None:
    queue = book.queue()
    book.gate.clear()
    queue.put([0])
    assert book.asked.wait(LONG)
    put(queue, range(1, 31))
    book.gate.set()
    assert queue.flush(LONG)
    assert book.batches == [1, 30]


def test_nobody_need_ask_for_it(book: Book) -> None:
    queue = book.queue()
    queue.put([7])
    assert book.asked.wait(LONG)
    assert queue.flush(LONG)
    assert book.rows == [7]


def test_an_empty_queue_has_nothing_to_wait_for(book: Book) -> None:
    assert book.queue().flush(0)
    assert not book.asked.is_set()


def test_a_full_queue_says_so_and_takes_more_when_there_is_room(book: Book) -> None:
    queue = book.queue(capacity=3)
    book.gate.clear()
    assert put(queue, range(5)) == [True, True, True, False, False]
    assert not queue.put([5, 6]), "all or none"
    book.gate.set()
    assert queue.flush(LONG)
    assert queue.put([7])
    assert queue.flush(LONG)
    assert book.rows == [0, 1, 2, 7]


def test_a_database_that_fails_loses_nothing(book: Book) -> None:
    queue = book.queue()
    book.closed = True
    put(queue, range(100))
    assert not queue.flush(LONG), "it says so at once, and doesn't use up the time"
    book.closed = False
    assert queue.flush(LONG)
    assert (book.rows, book.lost) == (list(range(100)), [])


@pytest.mark.parametrize("error", [RowRefused("synthetic"), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "synthetic")])
@pytest.mark.parametrize("bad", [{0}, {29}, {13, 14}, set(range(30))])
def test_a_row_that_is_refused_is_lost_alone(book: Book, bad: set[int], error: Exception) -> None:
    queue = book.queue()
    book.bad = dict.fromkeys(bad, error)
    queue.put(range(30))
    assert queue.flush(LONG)
    assert book.rows == [row for row in range(30) if row not in bad]
    assert book.lost == sorted(bad)


def test_what_was_written_before_the_database_failed_is_not_written_again(book: Book) -> None:
    """A bad row splits the batch; the database fails between the halves."""
    queue = book.queue()
    book.bad = {0: RowRefused("synthetic"), 20: StoreUnavailable("synthetic")}
    queue.put(range(30))
    assert not queue.flush(LONG)
    del book.bad[20]
    assert queue.flush(LONG)
    assert (book.rows, book.lost) == (list(range(1, 30)), [0])


def test_who_is_told_of_a_loss_and_fails_stops_nothing(book: Book) -> None:
    def fail(_: Sequence[int]) -> None:
        raise ValueError("synthetic")

    queue = WriteQueue(book.write, fail)
    book.bad = {1: RowRefused("synthetic")}
    put(queue, range(3))
    assert queue.flush(LONG)
    assert book.rows == [0, 2]


def test_closing_writes_what_waits_and_takes_no_more(book: Book) -> None:
    queue = book.queue()
    put(queue, range(200))
    queue.close(LONG)
    assert book.rows == list(range(200))
    assert not queue.put([200])


def test_closing_tries_again_until_its_time_is_over(book: Book) -> None:
    queue = book.queue()
    book.closed = True
    put(queue, range(3))
    assert not queue.flush(LONG)
    book.closed = False
    queue.close(LONG)
    assert (book.rows, book.lost) == ([0, 1, 2], [])


def test_what_could_not_be_written_in_time_is_told_as_lost(book: Book) -> None:
    queue = book.queue()
    book.closed = True
    put(queue, range(3))
    queue.close(0)
    assert (book.rows, book.lost) == ([], [0, 1, 2])


def test_a_forked_process_has_its_own_rows_and_its_own_thread(book: Book) -> None:
    queue = book.queue()
    book.gate.clear()
    put(queue, range(3))
    assert book.asked.wait(LONG)
    child = os.fork()
    if child == 0:
        book.gate.set()
        queue.put([100])
        written = queue.flush(LONG) and book.rows == [100]
        os._exit(0 if written else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    book.gate.set()
    assert queue.flush(LONG)
    assert book.rows == [0, 1, 2]


ENDINGS: dict[str, str] = {"falls off its end": "", "exits": "sys.exit(3)", "fails": "raise ValueError"}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_a_process_that_ends_writes_first(ending: str) -> None:
    program = f"""
import sys
from cds_service.records.write_queue import WriteQueue
queue = WriteQueue(lambda rows: print(*rows, flush=True), print)
queue.put([1, 2, 3])
{ending}
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LONG, check=False)
    assert told.stdout == "1 2 3\n"


def test_many_threads_put_and_all_is_written_once_each_ones_in_order(book: Book) -> None:
    queue = book.queue(capacity=10_000)
    starts = range(0, 4000, 500)
    with ThreadPoolExecutor(len(starts)) as threads:
        assert all(map(all, threads.map(lambda start: put(queue, range(start, start + 500)), starts)))
    assert queue.flush(LONG)
    assert sorted(book.rows) == list(range(4000))
    for start in starts:
        assert [row for row in book.rows if start <= row < start + 500] == list(range(start, start + 500))
