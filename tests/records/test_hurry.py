"""Nobody waits longer than the time given, and a late database is left alone for a while."""

import gc
import os
from threading import Event, current_thread

import pytest

from cds_service.cds_hooks.errors import StoreUnavailable
from cds_service.records.hurry import Hurry

LONG = 60.0


def test_what_is_done_in_time_is_given_back() -> None:
    assert Hurry(LONG)(lambda: 7) == 7


def test_what_goes_wrong_is_told_as_it_was() -> None:
    def fail() -> None:
        raise StoreUnavailable("synthetic")

    hurry = Hurry(LONG)
    with pytest.raises(StoreUnavailable, match="synthetic"):
        hurry(fail)
    assert hurry(lambda: 7) == 7, "an error that came in time costs no one a wait"


def test_what_is_late_is_left_behind_and_not_tried_again_for_a_while() -> None:
    done, asked = Event(), []
    hurry = Hurry(0.01, rest_seconds=LONG)
    with pytest.raises(StoreUnavailable):
        hurry(lambda: done.wait(LONG))
    done.set()
    with pytest.raises(StoreUnavailable):
        hurry(lambda: asked.append(1))
    assert asked == []


def test_without_a_rest_it_is_tried_again_at_once() -> None:
    done = Event()
    hurry = Hurry(0.01, rest_seconds=0)
    with pytest.raises(StoreUnavailable):
        hurry(lambda: done.wait(LONG))
    done.set()
    hurry._seconds = LONG
    assert hurry(lambda: 7) == 7


def test_threads_that_hang_hold_up_no_one_else() -> None:
    done = Event()
    hurry = Hurry(0.01, rest_seconds=0)
    for _ in range(40):
        with pytest.raises(StoreUnavailable):
            hurry(lambda: done.wait(LONG))
    done.set()


def test_its_threads_end_with_it() -> None:
    hurry = Hurry(LONG)
    thread = hurry(current_thread)
    assert thread.is_alive()
    del hurry
    gc.collect()
    thread.join(LONG)
    assert not thread.is_alive()


def test_a_process_that_forked_uses_threads_of_its_own() -> None:
    hurry = Hurry(LONG)
    hurry(lambda: 7)
    child = os.fork()
    if child == 0:
        os._exit(hurry(lambda: 7))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
