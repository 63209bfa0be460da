"""How long a summary takes and how much memory, by the number of cards: SYNTHETIC histories in a SQLite file.

`python -m benchmarks.feedback_summary [CARDS...]`; by default 10,000, 100,000 and 1,000,000 cards. Each is summed up by
the command itself, in a process of its own, whose processor time and memory are told; beside it, `--help` of the same
command: what Python takes anyway.
"""

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

_HISTORY = ("-m", "tests.builders.feedback_history")
"""A process of its own: Linux counts the memory of who starts a process as the process's."""
_MESSAGES = "2000"
_COLUMNS = {
    "issued_cards": (
        "card, suggestions, issuer, tenant, service, hook_instance, key_id, patient_hash, user_hash, finding, "
        "severity_band, indicator, critical, fingerprint, knowledge_version, mode, shown, quieted_by, quieted_until, "
        "basis, issued_at"
    ),
    "feedback": (
        "digest, service, card, outcome, outcome_timestamp, accepted_suggestions, reason_code, reason_system, "
        "reason_display, user_comment, received_at, issuer, tenant, foreign_card"
    ),
}


def main() -> None:
    """Measure each size."""
    sizes = [int(size) for size in sys.argv[1:]] or [10_000, 100_000, 1_000_000]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "records.sqlite3"
        subprocess.run([sys.executable, *_HISTORY, str(file), "--messages", _MESSAGES], check=True)
        first = _cards(file)
        idle_seconds, idle_megabytes = _run(file, "--help")
        print(f"--help: {idle_seconds:.1f} s, {idle_megabytes} MB")
        copies = 1
        for size in sizes:
            _copy(file, copies, max(copies, -(-size // first)))
            copies = max(copies, -(-size // first))
            seconds, megabytes = _run(file, "--json")
            cards = _cards(file)
            print(f"{cards:>9,} cards: {seconds:.1f} s ({cards / seconds:,.0f} cards a second), {megabytes} MB at most")


def _copy(file: Path, start: int, end: int) -> None:
    """The first history, whose ids are UUIDs, again and again under other ids."""
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        for table, columns in _COLUMNS.items():
            last = connection.execute(f"SELECT max(id) FROM {table} WHERE instr(card, '-') = 9").fetchone()[0]
            for number in range(start, end):
                fresh = columns
                for column in ("card", "fingerprint", "digest"):
                    fresh = fresh.replace(f"{column}, ", f"'{number}-' || substr({column}, 1, 28), ", 1)
                source = f"SELECT {fresh} FROM {table} WHERE id <= {last}"
                connection.execute(f"INSERT INTO {table} ({columns}) {source}")
    connection.close()


def _cards(file: Path) -> int:
    with sqlite3.connect(file) as connection:
        found: int = connection.execute("SELECT count(*) FROM issued_cards").fetchone()[0]
    connection.close()
    return found


def _run(file: Path, *options: str) -> tuple[float, int]:
    """Processor seconds, and the most memory in MB, of one run."""
    environment = os.environ | {"CDS_DATABASE_URL": f"sqlite:///{file}"}
    command = [sys.executable, "-m", "cds_service", "feedback", "summary", *options]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0
    return used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


if __name__ == "__main__":
    main()
