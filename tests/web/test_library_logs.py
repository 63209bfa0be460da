"""What libraries say becomes a line that tells who spoke and where, and nothing of what they were given."""

import json
import logging
import sys
import warnings
from collections.abc import Iterator
from threading import Thread
from typing import Any, NoReturn

import pytest
import requests
from sqlalchemy import create_engine, text

from cds_service.web.library_logs import listen_to_libraries, listen_to_warnings_and_threads

MARK = "Marker"


@pytest.fixture(autouse=True)
def _listening(lines: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:  # noqa: ARG001 - it sets the log up
    for module, name in ((warnings, "showwarning"), (sys, "unraisablehook")):
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    listen_to_libraries("info")
    listen_to_warnings_and_threads()
    yield
    listen_to_libraries("critical")


def _fail(*_: object) -> NoReturn:
    raise ValueError(f"{MARK} 1970-05-05")


def _told(lines: Any) -> dict[str, Any]:
    (line,) = lines()
    assert MARK not in json.dumps(line)
    assert (line["event"], "time" in line) == ("library", True)
    return dict(line)


def test_a_librarys_words_are_not_written(lines: Any) -> None:
    logging.getLogger("any.library").warning("Retrying: /fhir/Patient/%s", MARK)
    told = _told(lines)
    assert (told["logger"], told["level"]) == ("any.library", "warning")
    assert told["place"].startswith("test_library_logs.test_a_librarys_words_are_not_written:")


def test_a_librarys_exception_is_told_by_class(lines: Any) -> None:
    try:
        with create_engine("sqlite://").connect() as connection:
            connection.execute(text("SELECT :name FROM nowhere"), {"name": MARK})
    except Exception:
        logging.getLogger("sqlalchemy").exception("Failed for %s", MARK)
    assert _told(lines)["error"] == "OperationalError"


def test_libraries_chatter_is_not_written(lines: Any) -> None:
    listen_to_libraries("debug")
    logging.getLogger("urllib3").debug(MARK)
    logging.getLogger("anything").info(MARK)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:9/{MARK}", timeout=5)
    assert lines() == []


def test_gunicorn_tells_what_became_of_a_worker_with_its_gaps_unfilled(lines: Any) -> None:
    logging.getLogger("gunicorn.error").error("Error handling request %s", f"/{MARK}")
    assert _told(lines)["sentence"] == "Error handling request %s"


def test_gunicorn_may_log_an_exception_itself(lines: Any) -> None:
    try:
        _fail()
    except ValueError as error:
        logging.getLogger("gunicorn.error").exception(error)
    told = _told(lines)
    assert told["error"] == "ValueError"
    assert "sentence" not in told


def test_a_warning_is_told_by_class_and_place(lines: Any) -> None:
    warnings.showwarning(f"{MARK} is deprecated", DeprecationWarning, f"/somewhere/{MARK}/module.py", 7)
    told = _told(lines)
    assert (told["logger"], told["error"], told["place"]) == ("warnings", "DeprecationWarning", "module:7")


def test_a_thread_that_fails_is_told_by_class_and_place(lines: Any) -> None:
    thread = Thread(target=_fail, name=MARK)
    thread.start()
    thread.join()
    told = _told(lines)
    assert (told["logger"], told["error"], told["level"]) == ("threads", "ValueError", "error")
    assert told["place"].startswith("test_library_logs._fail:")


def test_a_destructor_that_fails_is_told_by_class_and_place(lines: Any) -> None:
    dying = type(MARK, (), {"__del__": _fail})()
    del dying
    told = _told(lines)
    assert (told["logger"], told["error"]) == ("destructors", "ValueError")


def test_listening_twice_writes_one_line(lines: Any) -> None:
    listen_to_libraries("info")
    logging.getLogger("anything").error(MARK)
    assert len(lines()) == 1
