"""`cds-service records ...`: what an operator runs to keep house, and what it says."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cds_hooks.feedback import FeedbackEntry
from cds_service.cli import main
from cds_service.records.audit_trail import AuditEntry
from cds_service.records.housekeeping import KINDS, Kind, count_older
from cds_service.records.migrate import migrate
from cds_service.records.stores import Stores, open_stores
from cds_service.services.pseudonyms import Pseudonyms
from tests.builders.records import issued_card

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NEVER = datetime(2099, 1, 1, tzinfo=UTC)
PRESENT, PREVIOUS, RETIRED = "the present key, synthetic", "the previous key, synthetic", "a retired key, synthetic"


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stores:
    """Of each kind a row of long ago, and one that will not be old for a while, under different keys."""
    for name in [name for name in os.environ if name.startswith("CDS_")]:
        monkeypatch.delenv(name)
    url = f"sqlite:///{tmp_path}/records.sqlite3"
    monkeypatch.setenv("CDS_DATABASE_URL", url)
    migrate(url)
    opened = open_stores(url)
    young = datetime.now(UTC)
    for number, (at, key) in enumerate([(LONG_AGO, RETIRED), (young, PREVIOUS), (young + timedelta(1), PRESENT)]):
        patient = Pseudonyms(key.encode()).user(issued_card().client, "synthetic")
        opened.feedback.store([FeedbackEntry(str(number), "overridden", at)], at, "s")
        opened.issued_cards.record([issued_card(card=str(number), issued_at=at, patient=patient)])
        opened.audit_trail.append(AuditEntry(at, 200, key_id=patient.key_id, patient_hash=patient.hash))
    return opened


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["records", *arguments])


def _counts(stores: Stores) -> dict[Kind, int]:
    return {kind: count_older(stores.database, kind, NEVER) for kind in KINDS}


def test_each_kind_is_kept_as_long_as_the_setting_says(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_RETENTION_DAYS", "feedback=365, audit=30000")
    result = _run("purge")
    assert result.exit_code == 0, result.output
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [["feedback:", "1"], ["audit:", "0"]]
    assert _counts(stores) == {"feedback": 2, "cards": 3, "audit": 3}


def test_an_option_goes_before_the_setting_and_names_what_to_delete(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDS_RETENTION_DAYS", "feedback=1")
    assert _run("purge", "--only", "cards", "--only", "audit", "--older-than", "365").exit_code == 0
    assert _counts(stores) == {"feedback": 3, "cards": 2, "audit": 2}


def test_a_dry_run_deletes_nothing(stores: Stores) -> None:
    result = _run("purge", "--older-than", "365", "--dry-run")
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [[f"{kind}:", "1"] for kind in KINDS]
    assert set(_counts(stores).values()) == {3}


@pytest.mark.parametrize("setting", ["", "cards=365"])
def test_nothing_is_deleted_unless_somebody_said_how_old(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("CDS_RETENTION_DAYS", setting)
    result = _run("purge", "--only", "feedback")
    assert result.exit_code == 2
    assert "CDS_RETENTION_DAYS" in result.stderr
    assert set(_counts(stores).values()) == {3}


@pytest.mark.parametrize("setting", ["365", "comments=365", "feedback=0", "feedback=soon", "feedback=1, feedback=2"])
def test_a_retention_that_can_not_be_meant_is_refused(
    stores: Stores, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("CDS_RETENTION_DAYS", setting)
    result = _run("purge")
    assert (result.exit_code, "CDS_RETENTION_DAYS" in result.stderr) == (2, True), result.output
    assert set(_counts(stores).values()) == {3}


def test_retired_keys_are_forgotten_for_cards_and_for_the_audit_trail_only_if_asked(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDS_PSEUDONYM_KEY", PRESENT)
    monkeypatch.setenv("CDS_PSEUDONYM_KEY_PREVIOUS", PREVIOUS)
    assert _run("rotate-key", "--dry-run").stdout == "cards: 1 rows of retired keys, 2 of the keys in use\n"
    assert _run("rotate-key").stdout == "cards: 1 rows of retired keys forgotten, 2 kept\n"
    assert [bool(entry.patient_hash) for entry in stores.audit_trail.export()] == [True, True, True]
    monkeypatch.delenv("CDS_PSEUDONYM_KEY_PREVIOUS")
    told = _run("rotate-key", "--audit").stdout.splitlines()
    assert told == [
        "cards: 1 rows of retired keys forgotten, 1 kept",
        "audit: 2 rows of retired keys forgotten, 1 kept",
    ]
    assert [bool(entry.patient_hash) for entry in stores.audit_trail.export()] == [False, False, True]
    assert _counts(stores) == {"feedback": 3, "cards": 3, "audit": 3}, "no row is deleted"


def test_without_a_key_none_is_retired(stores: Stores) -> None:
    result = _run("rotate-key", "--audit")
    assert result.exit_code == 2
    assert "CDS_PSEUDONYM_KEY" in result.stderr
    assert all(entry.patient_hash for entry in stores.audit_trail.export())


@pytest.mark.usefixtures("stores")
def test_a_database_that_is_gone_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "records.sqlite3").unlink()
    result = _run("purge", "--older-than", "1")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
