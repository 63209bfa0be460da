"""`quieting.toml`: the shipped times, one fault at a time, and a site's own days."""

import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.knowledge.loader import SHIPPED, load_knowledge
from cds_service.knowledge.quieting_file import with_days
from cds_service.knowledge.strict_files import KnowledgeError
from tests.builders.knowledge import shipped_knowledge

FILE = "quieting.toml"


def test_the_shipped_times() -> None:
    policy = shipped_knowledge().quieting
    assert policy
    assert [(one.name, one.days, one.also_critical) for one in policy.overridden] == [
        ("already-known", 90, True),
        ("not-relevant", 30, False),
        ("expected-effect", 30, True),
    ]
    assert (policy.accepted_days, policy.critical_hours, policy.fall_percent) == (14, 24, Decimal(25))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("overridden.not-relevant", "overridden.irrelevant", "overridden.irrelevant: no override reason"),
        ("days = 90", "days = -1", "overridden.already-known.days: must be 0"),
        ("days = 90", "days = 366", "overridden.already-known.days: must be 0"),
        ("days = 90", 'days = "90"', "overridden.already-known.days: expected a whole number"),
        ("days = 90", "weeks = 90", "overridden.already-known.days: missing"),
        ("days = 90", "days = 90\nweeks = 1", "overridden.already-known.weeks: unknown key"),
        ("hours = 24", "hours = 73", "critical.hours: must be 0"),
        ('fall_percent = "25"', 'fall_percent = "0"', "worsening.fall_percent: must be more than 0"),
        ('fall_percent = "25"', 'fall_percent = "101"', "worsening.fall_percent: must be more than 0"),
        ('fall_percent = "25"', "fall_percent = 25", "worsening.fall_percent: expected a number in quotes"),
        ("[accepted]", "[acepted]", "accepted: missing"),
        ("[accepted]", "[other]\n[accepted]", "other: unknown key"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    copy = Path(shutil.copytree(SHIPPED, tmp_path / "knowledge"))
    text = (copy / FILE).read_text(encoding="utf-8")
    assert old in text
    (copy / FILE).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(KnowledgeError) as refused:
        load_knowledge(copy)
    assert str(refused.value).startswith(f"{FILE}: {says}")


def test_a_directory_without_the_file_is_told_so(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(SHIPPED, tmp_path / "knowledge"))
    (copy / FILE).unlink()
    with pytest.raises(KnowledgeError, match=r"quieting\.toml: this file is missing"):
        load_knowledge(copy)


def test_a_site_changes_the_days_it_names_and_no_others() -> None:
    policy = shipped_knowledge().quieting
    assert policy
    assert with_days(policy, {}) == policy
    changed = with_days(policy, {"not-relevant": 0, "accepted": 3})
    assert ([one.days for one in changed.overridden], changed.accepted_days) == ([90, 0, 30], 3)


@pytest.mark.parametrize("days", [{"known": 3}, {"already-known": 366}, {"result-wrong": 3}])
def test_days_that_can_not_be_meant_are_refused(days: Mapping[str, int]) -> None:
    policy = shipped_knowledge().quieting
    assert policy
    with pytest.raises(KnowledgeError, match=r"^CDS_QUIET_DAYS: "):
        with_days(policy, days)
