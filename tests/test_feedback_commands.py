"""`feedback summary`: what was shown and what came of it, as a table and as JSON; comments only when asked for."""

import json
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds_service.cds_hooks.clients import ANYONE
from cds_service.cds_hooks.feedback import FeedbackEntry
from cds_service.cli import main
from cds_service.records.migrate import migrate
from cds_service.records.stores import Stores, open_stores
from tests.builders.feedback_history import FIRST, keep_cards, keep_history, synthetic_history
from tests.builders.records import issued_card

Run = Callable[..., Result]


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stores:
    for name in [name for name in os.environ if name.startswith("CDS_")]:
        monkeypatch.delenv(name)
    url = f"sqlite:///{tmp_path}/records.sqlite3"
    monkeypatch.setenv("CDS_DATABASE_URL", url)
    migrate(url)
    return open_stores(url)


@pytest.fixture
def history(stores: Stores) -> Stores:
    keep_history(stores, messages=200)
    return stores


def _summary(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["feedback", "summary", *arguments])
    assert result.exit_code == 0, result.output
    return result


def _json(*arguments: str) -> Any:
    return json.loads(_summary("--json", *arguments).stdout)


def _comment(stores: Stores, text: str) -> None:
    keep_cards(stores, [issued_card(issued_at=FIRST)])
    entry = FeedbackEntry(issued_card().card, "overridden", FIRST + timedelta(minutes=5), user_comment=text)
    stores.feedback.store([entry], FIRST + timedelta(days=1), "cytopenia-review", ANYONE)


@pytest.mark.usefixtures("history")
def test_each_row_is_one_finding_indicator_client_and_month_and_they_add_up() -> None:
    told = _json()
    cards = [one.card for one in synthetic_history(messages=200)]
    places = [
        tuple(row[name] for name in ("finding", "indicator", "client", "tenant", "month")) for row in told["rows"]
    ]
    assert len(set(places)) == len(places)
    assert set(places) == {
        (card.finding, card.indicator, card.client.issuer, card.client.tenant, f"{card.issued_at:%Y-%m}")
        for card in cards
    }
    for name in ("shown", "accepted", "overridden", "ignored", "waiting", "quieted", "withheld", "distinctMessages"):
        assert sum(row[name] for row in told["rows"]) == told["total"][name]
    assert told["total"]["shown"] + told["total"]["quieted"] == len(cards)
    assert set(told["total"]["overriddenByReason"]) <= {
        "already-known", "expected-effect", "not-relevant", "result-wrong", "no-reason",
    }  # fmt: skip


@pytest.mark.usefixtures("history")
def test_the_table_shows_the_same_counts() -> None:
    told = _json("--by", "finding")
    lines = _summary("--by", "finding").stdout.splitlines()
    for row in [*told["rows"], {"finding": "All", **told["total"]}]:
        (line,) = [line for line in lines if line.startswith(f"│ {row['finding']} ")]
        figures = [cell.strip() for cell in line.split("│")[2:10]]
        names = ("shown", "distinctMessages", "accepted", "overridden", "ignored", "waiting", "quieted", "withheld")
        assert figures == [str(row[name]) for name in names]
        rate = row["overrideRate"]
        assert (
            f"{100 * rate['rate']:.0f} % ({100 * rate['low']:.0f} to {100 * rate['high']:.0f}) of {rate['of']} " in line
        )


@pytest.mark.usefixtures("history")
def test_a_period_and_a_client_narrow_what_is_counted() -> None:
    told = _json("--since", "2026-02-01", "--until", "2026-04-01", "--client", "https://south.example.org/fhir")
    assert {row["month"] for row in told["rows"]} == {"2026-02", "2026-03"}
    assert {row["client"] for row in told["rows"]} == {"https://south.example.org/fhir"}


def test_an_empty_database_says_so(stores: Stores) -> None:
    assert "No cards in this period." in _summary().stdout
    assert _json()["total"]["overrideRate"] == {"part": 0, "of": 0, "rate": None, "low": None, "high": None}
    stores.database.close()


def test_comments_are_told_only_when_asked_for(stores: Stores) -> None:
    _comment(stores, "Synthetic: seen in clinic")
    for told in (_summary().stdout, _summary("--json").stdout):
        assert "seen in clinic" not in told
    assert "1 comments; --comments lists them. They may hold patient data." in _summary().stdout
    assert (
        "overridden  card 0f8fad5b-d9cb-469f-a165-70867728950e: Synthetic: seen in clinic"
        in _summary("--comments").stdout
    )
    (comment,) = _json("--comments")["comments"]
    assert (comment["text"], comment["finding"]) == ("Synthetic: seen in clinic", "leukopenia")


def test_a_comment_cannot_steer_the_terminal_nor_break_its_line(stores: Stores) -> None:
    _comment(stores, "a\x1b[2Jb\nc [bold]d[/bold] \u202ee")
    assert "a [2Jb c [bold]d[/bold]  e" in _summary("--comments").stdout


def test_silent_mode_says_what_would_have_been_shown(stores: Stores) -> None:
    silent = {"mode": "silent", "shown": False, "issued_at": FIRST}
    keep_cards(
        stores,
        [
            issued_card(card="1" * 36, **silent),
            issued_card(card="2" * 36, **silent, quieted_by="already-known"),
            issued_card(card="3" * 36, issued_at=FIRST),
        ],
    )
    told = _json("--mode", "silent")
    assert (told["mode"], told["total"]["shown"], told["total"]["quieted"]) == ("silent", 1, 1)
    table = _summary("--mode", "silent").stdout
    assert "Would show" in table
    assert "Override rate" not in table
    assert "Silent mode: nothing was shown; the counts say what would have been." in table


def test_a_database_that_is_not_there_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CDS_DATABASE_URL", f"sqlite:///{tmp_path}/nowhere.sqlite3")
    result = CliRunner().invoke(main, ["feedback", "summary"])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == ["Error: The database could not be read; check CDS_DATABASE_URL."]


@pytest.mark.parametrize(
    "wrong", [["--mode", "loud"], ["--by", "patient"], ["--since", "May"], ["--ignored-after", "0"]]
)
def test_wrong_usage_is_refused(wrong: list[str]) -> None:
    assert CliRunner().invoke(main, ["feedback", "summary", *wrong]).exit_code == 2


@pytest.mark.usefixtures("history")
def test_the_page_is_written_whole_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "summary.html"
    file.write_text("an older one")
    result = _summary("--html", str(file))
    assert (result.stdout, result.stderr) == ("", f"Written: {file}\n")
    html = file.read_text(encoding="utf-8")
    assert html.strip().startswith("<!doctype html>")
    assert html.rstrip().endswith("</html>")
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.glob("*.html*")] == [file.name]


@pytest.mark.usefixtures("stores")
def test_a_page_that_can_not_be_made_is_said_and_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = CliRunner().invoke(main, ["feedback", "summary", "--html", str(tmp_path / "none" / "summary.html")])
    assert (nowhere.exit_code, nowhere.stderr.count("\n")) == (1, 1)
    assert "can't be written" in nowhere.stderr
    keep_history(open_stores(f"sqlite:///{tmp_path}/records.sqlite3"), messages=5)
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    without = CliRunner().invoke(main, ["feedback", "summary", "--html", str(tmp_path / "summary.html")])
    assert without.exit_code == 1
    assert without.stderr == "Error: The page's plots need a package more: pip install cytopenia-cds[sandbox]\n"
    assert not list(tmp_path.glob("*.html*"))
