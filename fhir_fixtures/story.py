"""The story files: one small YAML file a patient, read strictly. Knows their shape; knows no FHIR resource."""

from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

FOLDER = Path(__file__).parent / "stories"

Patch = dict[str, Any]
"""FHIR laid over a resource as a JSON merge patch (RFC 7396; null removes), for what is out of the ordinary."""

Leukopenia = Literal["present", "unconfirmed", "absent", "not-evaluable", "no-recent-result"]
Thrombocytopenia = Literal["present", "unreliable", "absent", "not-evaluable", "no-recent-result"]
Bicytopenia = Literal["present", "absent", "not-evaluable", "no-recent-result"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(_Strict):
    """Who: the members of a FHIR Patient that each one has."""

    given: str
    family: str
    gender: Literal["female", "male", "other", "unknown"]
    birth_date: date
    patch: Patch = {}


class Result(_Strict):
    """One result as the laboratory reports it: `value` in `unit` (a key of vocabulary/units.yaml)."""

    value: int | float | None = None
    unit: str | None = None
    patch: Patch = {}


class Count(_Strict):
    """Results of one collection, `day` days before the reference day; keys of `results` are vocabulary/analytes.yaml.

    `panel`: a whole CBC with its DiagnosticReport (the red cells are filled in). `label` tells two of one day apart.
    `subject`: another patient of the same file, under whose name the results are filed.
    """

    day: int
    results: dict[str, int | float | Result]
    time: str = "08:15:00"
    label: str = ""
    status: str = "final"
    panel: bool = True
    components: bool = False
    specimen: Literal["blood", "csf"] | None = None
    subject: str | None = None


class Condition(_Strict):
    """One entry of the problem list; `codes` are keys of vocabulary/codes.yaml, `local` is a house code."""

    text: str
    codes: tuple[str, ...] = ()
    local: str | None = None
    status: Literal["active", "recurrence", "relapse", "inactive", "remission", "resolved"] | None = "active"
    verification: Literal["confirmed", "provisional", "differential", "refuted", "entered-in-error"] = "confirmed"
    category: Literal["problem-list-item", "encounter-diagnosis"] = "problem-list-item"
    onset: date | None = None
    recorded: date | None = None
    abated: date | None = None


class Medication(_Strict):
    """One order; `local` is a house code; `start` and `end` bound the dosage where the order says so."""

    text: str
    codes: tuple[str, ...] = ()
    local: str | None = None
    status: Literal["active", "completed", "stopped", "on-hold", "cancelled"] = "active"
    authored: date
    dosage: str
    start: date | None = None
    end: date | None = None


class Expect(_Strict):
    """What the service must answer at noon UTC of the reference day, worked out by hand from the criteria."""

    leukopenia: Leukopenia
    thrombocytopenia: Thrombocytopenia
    bicytopenia: Bicytopenia
    indicator: Literal["info", "warning", "critical"] | None
    cause_groups: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    withheld: Literal["deceased"] | None = None


class Story(_Strict):
    """One patient: who, what is in the chart, and what it shows (`shows`: keys of vocabulary/rows.yaml)."""

    id: str
    title: str = Field(max_length=70)
    story: str
    place: str = "us"
    person: Person
    others: dict[str, Person] = {}
    counts: tuple[Count, ...]
    conditions: tuple[Condition, ...] = ()
    medications: tuple[Medication, ...] = ()
    expect: Expect
    shows: tuple[str, ...]


class StoryUnreadable(ValueError):
    """A story file isn't YAML or doesn't have the shape of a Story; the message names the file and the place in it."""


def load_story(path: Path) -> Story:
    """The patient of one story file; the file's name is the patient's id.

    Raises:
        StoryUnreadable: when the file is no YAML, or a key is unknown, missing or of the wrong kind.
    """
    try:
        return Story(id=path.stem, **yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError, TypeError) as error:
        raise StoryUnreadable(f"{path.name} can't be read as a story: {error}") from error


def load_stories() -> tuple[Story, ...]:
    """Every story, by id. Raises StoryUnreadable for the first that can't be read."""
    return tuple(load_story(path) for path in sorted(FOLDER.glob("*.yaml")))
