"""Several processes start, migrate and write at once; one of them is killed. What was acknowledged is there, once."""

import subprocess
import sys

from cds_service.records.stores import open_stores

WRITER = """
import sys
from datetime import UTC, datetime
from cds_service.cds_hooks.feedback import FeedbackEntry
from cds_service.records.migrate import migrate
from cds_service.records.stores import open_stores

url, name, reports = sys.argv[1], sys.argv[2], int(sys.argv[3])
when = datetime(2026, 1, 15, tzinfo=UTC)
print("ready", flush=True)
sys.stdin.readline()
migrate(url)
store = open_stores(url).feedback
for number in range(reports):
    shared = FeedbackEntry(f"shared-{number}", "accepted", when, ("s",))
    own = [FeedbackEntry(f"{name}-{number}-{part}", "accepted", when, ("s",)) for part in "ab"]
    store.store([shared, *own], when, "cytopenia-review")
    print(f"{name}-{number}", flush=True)
"""


def writer(url: str, name: str, reports: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, url, name, str(reports)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def start_together(writers: list[subprocess.Popen[str]]) -> None:
    for each in writers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in writers:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()


def test_four_processes_make_the_database_and_write_at_once(empty_url: str) -> None:
    url = empty_url
    writers = [writer(url, name, 25) for name in ("one", "two", "three", "four")]
    start_together(writers)
    for each in writers:
        acknowledged, _ = each.communicate(timeout=60)
        assert each.returncode == 0
        assert len(acknowledged.splitlines()) == 25
    cards = [str(told["card"]) for told in open_stores(url).feedback.export()]
    assert len(cards) == len(set(cards)) == 25 + 4 * 25 * 2


def test_a_killed_writer_leaves_whole_reports_and_all_it_acknowledged(url: str) -> None:
    victim = writer(url, "victim", 100_000)
    start_together([victim])
    assert victim.stdout is not None
    acknowledged = [victim.stdout.readline().strip() for _ in range(30)]
    victim.kill()
    acknowledged += victim.communicate(timeout=10)[0].split()
    cards = [str(told["card"]) for told in open_stores(url).feedback.export()]
    assert {f"{report}-{part}" for report in acknowledged for part in "ab"} <= set(cards)
    assert len(cards) % 3 == 0, "a report is there whole or not at all"
