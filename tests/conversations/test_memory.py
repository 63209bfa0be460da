"""Memory as a whole: switched off, without its database, silent, paused; recorded once; and no answer depends on it."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cds_service.cds_hooks.clients import CdsClient
from tests.builders.behind import LONG
from tests.builders.remembering_ehr import Ehr, Site

LOW = [{"wbc": 3.1, "day": -23}, {"wbc": 2.9, "day": -3}]


def ehr_of(folder: Path, **settings: Any) -> Ehr:
    made = Ehr(Site(folder, settings))
    made.add(LOW)
    return made


def rows(folder: Path, columns: str = "*") -> list[tuple[Any, ...]]:
    """The issued cards as they lie in the database."""
    with sqlite3.connect(folder / "records.sqlite3") as raw:
        found = raw.execute(f"SELECT {columns} FROM issued_cards ORDER BY id").fetchall()
    raw.close()
    return found


def log_line(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The last line that was logged."""
    line: dict[str, Any] = json.loads(capfd.readouterr().err.splitlines()[-1])
    return line


def told(ehr: Ehr) -> tuple[Any, ...]:
    """What an answer says, without the ids that each call has of its own."""
    cards = [(card["summary"], card["detail"], card["indicator"]) for card in ehr.answer["cards"]]
    return cards, ehr.assessment


@pytest.mark.parametrize("settings", [{"memory": False}, {"quieting": False}])
def test_switched_off_nothing_is_quiet_and_no_card_says_it_would_be(tmp_path: Path, settings: dict[str, Any]) -> None:
    ehr = ehr_of(tmp_path, **settings)
    ehr.open_chart(0)
    assert "is quiet" not in ehr.card["detail"]
    ehr.override(0, "already-known")
    assert ehr.open_chart(1)["cards"]
    assert "quieted" not in ehr.assessment
    assert len(rows(tmp_path)) == (0 if "memory" in settings else 2)


def test_without_memory_the_answer_is_that_of_an_empty_one(tmp_path: Path) -> None:
    remembering, forgetful = (tmp_path / "on", tmp_path / "off")
    remembering.mkdir()
    forgetful.mkdir()
    first, second = ehr_of(remembering), ehr_of(forgetful)
    first.open_chart(0)
    (forgetful / "records.sqlite3").unlink()
    second.open_chart(0)
    assert told(first) == told(second)


def test_a_database_that_is_gone_costs_no_answer_and_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ehr = ehr_of(tmp_path)
    ehr.open_chart(0)
    assert "memory" not in log_line(capfd)
    ehr.override(0, "already-known")
    (tmp_path / "records.sqlite3").rename(tmp_path / "away")
    assert ehr.open_chart(1)["cards"], "what isn't remembered isn't quiet"
    assert log_line(capfd)["memory"] == "unavailable"
    assert ehr.site.client.get("/readyz").get_json()["status"] == "degraded"
    (tmp_path / "away").rename(tmp_path / "records.sqlite3")
    assert ehr.open_chart(2)["cards"] == []
    assert log_line(capfd)["quietedBy"] == "already-known"


def test_a_database_that_is_locked_costs_no_answer_and_is_told_later(tmp_path: Path) -> None:
    ehr = ehr_of(tmp_path)
    ehr.site.write_at_once = False
    holder = sqlite3.connect(tmp_path / "records.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert ehr.open_chart(0)["cards"]
    assert rows(tmp_path) == []
    holder.execute("ROLLBACK")
    holder.close()
    assert ehr.site.write_rows(LONG)
    assert len(rows(tmp_path)) == 1


def test_silent_assesses_and_records_and_shows_nothing(tmp_path: Path) -> None:
    ehr = ehr_of(tmp_path, mode="silent")
    assert ehr.open_chart(0)["cards"] == []
    assert ehr.assessment["withheld"] == "silent"
    assert ehr.assessment["findings"][0]["verdict"] == "present"
    assert rows(tmp_path, "mode, shown, finding, indicator, suggestions") == [
        ("silent", 0, "leukopenia", "warning", "[]")
    ]


def test_what_was_kept_silent_is_shown_once_the_service_speaks(tmp_path: Path) -> None:
    silent = ehr_of(tmp_path, mode="silent")
    silent.open_chart(0)
    live = Ehr(Site(tmp_path), silent.notes, instance=silent.instance)
    assert live.open_chart(0, again=True)["cards"]


def test_a_paused_finding_is_assessed_recorded_and_said(tmp_path: Path) -> None:
    ehr = ehr_of(tmp_path, paused_findings="leukopenia, thrombocytopenia")
    assert ehr.open_chart(0)["cards"] == []
    assert ehr.assessment["withheld"] == "paused"
    assert ehr.assessment["findings"][0]["verdict"] == "present"
    ehr.add([{"plt": 88, "day": -3}])
    assert len(ehr.open_chart(1)["cards"]) == 1, "bicytopenia isn't paused"
    assert "withheld" not in ehr.assessment
    assert rows(tmp_path, "finding, shown, quieted_by") == [("leukopenia", 0, "paused"), ("bicytopenia", 1, None)]


def test_a_paused_finding_without_a_card_is_not_said_to_be_withheld(tmp_path: Path) -> None:
    ehr = Ehr(Site(tmp_path, {"paused_findings": "leukopenia"}))
    ehr.add([{"wbc": 6.0, "day": -3}])
    assert ehr.open_chart(0)["cards"] == []
    assert "withheld" not in ehr.assessment


@pytest.mark.parametrize("user", ["Patient/synthetic-1", "RelatedPerson/synthetic-r"])
def test_what_nobody_was_to_be_given_is_not_recorded(tmp_path: Path, user: str) -> None:
    ehr = ehr_of(tmp_path)
    ehr.user = user
    ehr.open_chart(0)
    assert ehr.assessment["withheld"] == "audience"
    assert rows(tmp_path) == []


def test_a_call_that_is_repeated_is_recorded_once_also_when_it_was_quiet(tmp_path: Path) -> None:
    ehr = ehr_of(tmp_path)
    ehr.open_chart(0)
    ehr.open_chart(0.01, again=True)
    assert len(rows(tmp_path)) == 1
    ehr.override(0.02, "already-known")
    ehr.open_chart(1)
    first = ehr.assessment["quieted"]
    ehr.open_chart(1.01, again=True)
    assert ehr.assessment["quieted"] == first
    assert rows(tmp_path, "shown, quieted_by") == [(1, None), (0, "already-known")]


def test_no_value_and_no_name_is_kept(tmp_path: Path) -> None:
    ehr = ehr_of(tmp_path)
    ehr.add([{"plt": 88.125, "day": -3}, {"anc": 1.2345, "day": -3}])
    ehr.open_chart(0)
    (row,) = rows(tmp_path)
    text = json.dumps(row)
    for secret in ("2.9", "3.1", "88.125", "1.2345", "synthetic-1", "synthetic-p1", "Observation/", "n0"):
        assert secret not in text, secret


def test_another_key_recognises_nobody(tmp_path: Path) -> None:
    ehr = ehr_of(tmp_path)
    ehr.open_chart(0)
    ehr.override(0, "already-known")
    other = Ehr(Site(tmp_path, {"pseudonym_key": "another key for tests only"}), ehr.notes)
    assert other.open_chart(1)["cards"]
    same = Ehr(Site(tmp_path), ehr.notes)
    assert same.open_chart(1)["cards"] == [], "after a restart, with the same key"


def test_a_merged_patient_is_another_one(tmp_path: Path) -> None:
    ehr = ehr_of(tmp_path)
    ehr.open_chart(0)
    ehr.override(0, "already-known")
    merged = Ehr(ehr.site, ehr.notes, patient="synthetic-2")
    assert merged.open_chart(1)["cards"]


def test_two_people_taken_for_one_do_not_quiet_each_other(tmp_path: Path) -> None:
    """The same id on two servers that aren't told apart, since the calls name none."""
    ehr = ehr_of(tmp_path)
    ehr.open_chart(0)
    ehr.override(0, "already-known")
    other = Ehr(ehr.site)
    other.add([{"wbc": 3.3, "day": -30}, {"wbc": 3.2, "day": -4}])
    assert other.open_chart(1)["cards"]


def test_a_report_on_a_card_that_was_not_shown_quiets_nothing(tmp_path: Path) -> None:
    ehr = ehr_of(tmp_path, paused_findings="leukopenia")
    ehr.open_chart(0)
    ((card,),) = rows(tmp_path, "card")
    speaking = Ehr(Site(tmp_path), ehr.notes, card={"uuid": card})
    speaking.override(0, "already-known")
    assert speaking.open_chart(1)["cards"]


def test_tenants_and_issuers_are_told_apart(tmp_path: Path) -> None:
    ehr = ehr_of(tmp_path)
    for tenant in ("north", "south"):
        ehr.site.caller = CdsClient(tenant=tenant)
        ehr.open_chart(0)
    assert len({patient for (patient,) in rows(tmp_path, "patient_hash")}) == 2


def test_a_site_sets_its_own_days_and_its_cards_say_so(tmp_path: Path) -> None:
    ehr = ehr_of(tmp_path, quiet_days="already-known=1, not-relevant=0, accepted=0")
    ehr.open_chart(0)
    assert "already known or under care: 1 day, expected effect of treatment: 30 days." in ehr.card["detail"]
    ehr.override(0, "not-relevant")
    assert ehr.open_chart(0.5)["cards"]
    ehr.accept(0.5, "repeat")
    assert ehr.open_chart(0.6)["cards"]
    ehr.override(0.6, "already-known")
    assert ehr.open_chart(1.5)["cards"] == []
    assert ehr.open_chart(1.6)["cards"]


def test_days_of_a_reason_nobody_knows_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="CDS_QUIET_DAYS: known: is none of: already-known, not-relevant"):
        Site(tmp_path, {"quiet_days": "known=3"})
