"""A real PostgreSQL of Debian's packages, on a Unix socket in a folder of its own, as an unprivileged user.

PostgreSQL refuses to run as root: there the package's own user `postgres` runs it. Nothing is synced to the disk, so
that tests are fast: what a crash of PostgreSQL keeps is tested, what a power cut keeps is PostgreSQL's promise.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

ROLE = "synthetic"
_SPEED = "-c fsync=off -c synchronous_commit=on -c full_page_writes=off -c max_connections=60 -c shared_buffers=16MB"
_NUMBERS = count()


@dataclass(frozen=True)
class PostgresServer:
    """One server; `folder` holds its data and its socket."""

    programs: Path
    folder: Path

    def url(self, database: str) -> str:
        """The CDS_DATABASE_URL of one database of it."""
        return f"postgresql+psycopg://{ROLE}@/{database}?host={self.folder}"

    def create_database(self, encoding: str = "UTF8") -> str:
        """An empty database; returns its URL."""
        name = f"records_{os.getpid()}_{next(_NUMBERS)}"
        made_as = ("-E", encoding, "-T", "template0", "--locale=C") if encoding != "UTF8" else ()
        self._run("createdb", "-h", str(self.folder), "-U", ROLE, *made_as, name)
        return self.url(name)

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        options = f"-c listen_addresses= -k {self.folder} {_SPEED}"
        self._run("pg_ctl", "-D", self._data, "-l", str(self.folder / "log"), "-o", options, "-t", "60", "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is a crash."""
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-t", "60", "-w", "stop")

    def make(self) -> None:
        """Make its data folder."""
        self._run("initdb", "-D", self._data, "-U", ROLE, "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")

    def run(self, program: str, *arguments: str) -> str:
        """One of its client programs (such as pg_dump), told where the server is; returns what it prints."""
        return self._run(program, "-h", str(self.folder), "-U", ROLE, *arguments)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def limit_files(self, size: int | None) -> None:
        """No file of it may grow beyond this many bytes, which to it is the same as a full disk; None lifts that."""
        postmaster = (self.folder / "data" / "postmaster.pid").read_text(encoding="ascii").split()[0]
        backends = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text(encoding="ascii").split()
        user, group = owner()
        for process in (postmaster, *backends):
            command = ["prlimit", "--pid", process, f"--fsize={'unlimited' if size is None else size}:unlimited"]
            done = subprocess.run(command, user=user, group=group, capture_output=True, text=True, check=False)
            assert done.returncode == 0 or not Path(f"/proc/{process}").exists(), done.stderr

    def _run(self, program: str, *arguments: str) -> str:
        user, group = owner()
        command = [str(self.programs / program), *arguments]
        with tempfile.TemporaryFile("w+") as told:  # a pipe would stay open as long as the server runs
            done = subprocess.run(
                command, user=user, group=group, stdin=subprocess.DEVNULL, stdout=told, stderr=told,
                cwd="/", timeout=120, check=False,
            )  # fmt: skip
            told.seek(0)
            output = told.read()
        assert done.returncode == 0, f"{program} failed: {output}"
        return output


def owner() -> tuple[int | None, int | None]:
    """Who runs the server: we, unless we are root."""
    if os.geteuid() != 0:
        return None, None
    postgres = pwd.getpwnam("postgres")
    return postgres.pw_uid, postgres.pw_gid


def find_programs() -> Path | None:
    """Where the newest installed PostgreSQL's programs are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def postgresql_server() -> Iterator[PostgresServer]:
    """A running server, gone afterwards with all it held."""
    programs = find_programs()
    assert programs is not None, "PostgreSQL is not installed: apt-get install postgresql"
    folder = Path(tempfile.mkdtemp(prefix="cds-pg-"))
    user, group = owner()
    if user is not None and group is not None:
        os.chown(folder, user, group)
    server = PostgresServer(programs, folder)
    try:
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
