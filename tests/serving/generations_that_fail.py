"""The real server over generations that load, or don't: `python -m tests.serving.generations_that_fail WORD...`.

The first word is the first generation's, each reload takes the next: `good` and `fails` load or don't, `refused` isn't
made at all; a path is that of a named pipe, at which it waits while it loads. Prints its URL; the app tells which
generation it is, and a line `told` what the master says of each reload. There is one process at a time, or as many as
`WORKERS` of the environment says.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from cds_service.web.library_logs import listen_to_libraries
from cds_service.web.master import FilesRefused, Operation
from cds_service.web.request_log import configure_logging, write_line
from cds_service.web.server import Listen, private_folder, run_server


@dataclass(frozen=True)
class NumberedGeneration:
    """One that loads, or fails to."""

    version: str
    word: str

    def load(self) -> Flask:
        """An app that tells its version."""
        if self.word == "fails":
            raise RuntimeError("marker of an exception's text")
        if self.word != "good":
            Path(self.word).read_bytes()
        app = Flask("numbered")
        app.add_url_rule("/", view_func=lambda: self.version)
        return app

    def discard(self) -> None:
        """Nothing is kept of it."""


def _generations(words: list[str]) -> Iterator[NumberedGeneration | None]:
    for number, word in enumerate(words, 1):
        yield None if word == "refused" else NumberedGeneration(str(number), word)


def main() -> None:
    """Serve until stopped."""
    generations = _generations(sys.argv[1:])

    def check() -> NumberedGeneration:
        generation = next(generations)
        if generation is None:
            raise FilesRefused("knowledge")
        return generation

    configure_logging("info")
    listen_to_libraries("info")
    with private_folder():
        listen = Listen(port=0, workers=int(os.environ.get("WORKERS", "1")))
        operation = Operation(check, reloaded=lambda done: write_line("info", "told", {"reloaded": done}))
        run_server(check(), operation, listen, lambda url: print(url, flush=True))  # noqa: T201


if __name__ == "__main__":
    main()
