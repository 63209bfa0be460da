"""The traps of traps.yaml as CDS Hooks prefetch: what an EHR with such data would send. Judges nothing."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from fhir_fixtures.dates import days_before
from fhir_fixtures.lexicon import UCUM, analyte
from fhir_fixtures.resources import Resource, patched, reference

_FILE = Path(__file__).parent / "traps.yaml"
_BASE = "https://fhir.example.org/r4"
_KEYS = {"Condition": "conditions", "MedicationRequest": "medications"}
_USUAL = "10*3/uL"
PATIENT = "trap-patient"

Verdict = Literal["present", "unconfirmed", "unreliable", "absent", "not-evaluable", "no-recent-result"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expect(_Strict):
    """What the service must answer at noon UTC of the reference day, worked out by hand from the criteria.

    `used`: the numbers each finding rests on, in 10*9/L, newest first. `not_used`: every result set aside, by what
    its reference ends with. `says`: words on the card. `status`: of HTTP.
    """

    leukopenia: Verdict = "no-recent-result"
    thrombocytopenia: Verdict = "no-recent-result"
    bicytopenia: Verdict = "no-recent-result"
    used: dict[str, tuple[str, ...]] = {}
    not_used: dict[str, str] = {}
    not_available: tuple[str, ...] = ()
    cause_groups: tuple[str, ...] = ()
    indicator: Literal["info", "warning", "critical"] | None = None
    says: tuple[str, ...] = ()
    status: int = 200


class Trap(_Strict):
    """One trap: what is sent (`send`, and `prefetch` laid over the whole), and what it must lead to.

    `accepted`: the site's statuses. `fhir_server`: the one the request names.
    """

    say: str
    send: tuple[dict[str, Any], ...] = ()
    prefetch: dict[str, Any] = {}
    accepted: tuple[str, ...] | None = None
    fhir_server: str | None = None
    expect: Expect


class Row(_Strict):
    """One row of what real laboratory data looks like, with a trap for each of its examples."""

    seen: str
    must: str
    traps: dict[str, Trap] = Field(min_length=1)


def load_rows() -> tuple[Row, ...]:
    """The rows of traps.yaml, in its order."""
    return tuple(Row(**row) for row in yaml.safe_load(_FILE.read_text(encoding="utf-8")))


def load_traps() -> dict[str, Trap]:
    """Every trap by its name; ValueError when two have one name."""
    named = [(name, trap) for row in load_rows() for name, trap in row.traps.items()]
    if len(dict(named)) < len(named):
        raise ValueError("two traps of traps.yaml have the same name")
    return dict(named)


def prefetch_for(trap: Trap) -> Resource:
    """The prefetch that holds the trap: conditions and medications under their keys, all else under `counts`."""
    sent: dict[str, list[Resource]] = {"counts": [], "companions": [], "conditions": [], "medications": []}
    for number, note in enumerate(trap.send, 1):
        entry = _entry(note, f"o{number}")
        kind = entry["resource"].get("resourceType") if isinstance(entry.get("resource"), dict) else None
        sent[_KEYS.get(str(kind), "counts")].append(entry)
    patient = {"resourceType": "Patient", "id": PATIENT, "birthDate": "1970-05-05"}
    return patched({"patient": patient} | {key: _searchset(entries) for key, entries in sent.items()}, trap.prefetch)


def _entry(note: dict[str, Any], identifier: str) -> Resource:
    """The entry that a note of `send` stands for: an entry as it is, a resource as it is, or one result."""
    if "entry" in note:
        return dict(note["entry"])
    one = note["resource"] if "resource" in note else _result(note, identifier)
    address = f"{one.get('resourceType')}/{one.get('id', identifier)}"
    return {"fullUrl": note.get("full_url", f"{_BASE}/{address}"), "resource": one}


def _result(note: dict[str, Any], identifier: str) -> Resource:
    """A final count of the patient, collected the day before the reference day, in 10*3/uL unless the note differs."""
    key = next(iter(note))
    test = analyte(key)
    one: Resource = {
        "resourceType": "Observation",
        "id": note.get("id", identifier),
        "status": note.get("status", "final"),
        "code": {"coding": [{"system": test.system, "code": test.code, "display": test.display}]},
        "subject": reference("Patient", PATIENT),
        "effectiveDateTime": f"{days_before(note.get('day', 1)).isoformat()}T{note.get('time', '08:00:00Z')}",
    }
    if note[key] is not None:
        one["valueQuantity"] = {"value": note[key], **_unit(note)}
    return patched(one, note.get("with", {}))


def _unit(note: dict[str, Any]) -> Resource:
    """The unit as the note spells it: `unit` is text, `code` UCUM; neither is the usual one, null leaves it out."""
    if "unit" not in note and "code" not in note:
        return {"unit": _USUAL, "system": UCUM, "code": _USUAL}
    coded = {"system": UCUM, "code": note["code"]} if note.get("code") is not None else {}
    text = {"unit": note["unit"]} if note.get("unit") is not None else {}
    return {**text, **coded}


def _searchset(entries: list[Resource]) -> Resource:
    return {"resourceType": "Bundle", "type": "searchset", **({"entry": entries} if entries else {})}
