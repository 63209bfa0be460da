"""What is forgotten by a process that was forked off: threads, locks and connections stay with the parent."""

import os
import weakref
from collections.abc import Callable


def in_each_child(forget: Callable[[], None]) -> None:
    """Call this method of an object in every process forked off from now on, as long as the object lives."""
    known = weakref.WeakMethod(forget)

    def after_fork() -> None:
        if (still_known := known()) is not None:
            still_known()

    os.register_at_fork(after_in_child=after_fork)
