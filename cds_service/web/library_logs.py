"""What libraries, warnings and failing threads say, as lines of ours. Their words quote what they were given: a URL, a
value, a name. So a line tells who spoke, how gravely and where, and no word. gunicorn's are its own: they tell its
operator what became of a worker, in sentences whose gaps stay unfilled.
"""

import logging
import sys
import threading
import warnings
from pathlib import Path
from traceback import extract_tb
from types import TracebackType
from typing import TYPE_CHECKING

from cds_service.web.request_log import write_line

if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from threading import ExceptHookArgs

_SPEAKS_OF_PROCESSES = "gunicorn."


class _Lines(logging.Handler):
    """Writes one of our lines for each record of any library."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line."""
        level = "error" if record.levelno >= logging.ERROR else "warning"
        place = f"{record.module}.{record.funcName}:{record.lineno}"
        sentence = record.msg if record.name.startswith(_SPEAKS_OF_PROCESSES) and isinstance(record.msg, str) else None
        failed = record.exc_info[0] if record.exc_info else None
        _write(level, record.name, place, failed, sentence)


def listen_to_libraries(level: str) -> None:
    """Take over every logger's lines from this level on, `warning` at least; safe to call again."""
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _Lines)]:
        root.removeHandler(handler)
    lines = _Lines(max(logging.WARNING, logging.getLevelNamesMapping()[level.upper()]))
    root.addHandler(lines)


def listen_to_warnings_and_threads() -> None:
    """The same for `warnings` and for exceptions that nobody catches; for a process that only serves."""
    warnings.showwarning = _tell_warning  # type: ignore[assignment]  # takes what it is given
    threading.excepthook = _tell_thread
    sys.unraisablehook = _tell_unraisable


def _tell_warning(_: Warning | str, category: type[Warning], filename: str, lineno: int, *__: object) -> None:
    _write("warning", "warnings", f"{Path(filename).stem}:{lineno}", category)


def _tell_thread(failed: "ExceptHookArgs") -> None:
    _write("error", "threads", _place(failed.exc_traceback), failed.exc_type)


def _tell_unraisable(failed: "UnraisableHookArgs") -> None:
    _write("error", "destructors", _place(failed.exc_traceback), failed.exc_type)


def _place(traceback: TracebackType | None) -> str | None:
    frames = extract_tb(traceback)
    return f"{Path(frames[-1].filename).stem}.{frames[-1].name}:{frames[-1].lineno}" if frames else None


def _write(
    level: str, logger: str, place: str | None, failed: type[BaseException] | None = None, sentence: str | None = None
) -> None:
    error = failed.__name__ if failed else None
    write_line(level, "library", {"logger": logger, "place": place, "error": error, "sentence": sentence})
