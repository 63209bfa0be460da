"""Charts drawn at random around every window and limit of the criteria; synthetic, made from a seed."""

import copy
import random
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from tests.oracle.oracle import Lists

Json = dict[str, Any]

PATIENT = "synthetic-1"
AS_OF = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
DAYS = [0, 0, 1, 1, 2, 3, 5, 6, 7, 8, 10, 14, 29, 30, 31, 41, 42, 43, 60, 88, 89, 90, 91, 97, 120, 179, 180, 181]
FAR_DAYS = [185, 200, 270, 271, 360, 364, 365, 366, 400, -1, -2]
MINUTES = [0, 0, 0, 0, 1, -1, 60, -60, 240, -240, 720, -720]
UNITS: list[tuple[str | None, str | None, float]] = [
    ("10*3/uL", "10*3/uL", 1),
    ("10*3/uL", "10*3/uL", 1),
    ("10*9/L", "10*9/L", 1),
    ("x10^9/L", "10*9/L", 1),
    ("/uL", "/uL", 1000),
    ("cells/µL", "{cells}/uL", 1000),
    ("K/uL", None, 1),
    (None, "K/uL", 1),
    ("G/L", "G/L", 1),
    ("giga.l-1", None, 1),
    ("lakh/cumm", None, 0.01),
    ("10*4/uL", "10*4/uL", 0.1),
    ("万/μL", None, 0.1),
    ("gobbledegook", "10*9/L", 1),
    ("thousands per microliter", None, 1),
]
BAD_UNITS: list[tuple[str | None, str | None, float]] = [
    (None, None, 1),
    ("uL", "uL", 1),
    ("10*3/u", None, 1),
    ("x10^9/L", "mg/dL", 1),
    ("%", "10*9/L", 1),
    ("10*3/uL", "/uL", 1),
    ("%", "%", 1),
    ("g/l", None, 1),
    ("M/uL", None, 1),
    ("nonsense", None, 1),
]
VALUES = {
    "wbc": ["0.9", "0.99", "1.0", "1.9", "2.0", "2.9", "3.0", "3.5", "3.96", "3.999", "4", "4.0", "4.1", "6", "6.5"],
    "plt": ["20", "24", "25", "60", "99", "99.9", "100", "120", "149", "149.9", "150", "151", "220", "250"],
    "anc": ["0.3", "0.49", "0.5", "0.9", "0.99", "1.0", "1.5", "3"],
}
ODD_VALUES = ["0", "0.004", "0.005", "-1", "1000", "1001", "10000", "10001"]
CODES = {
    "wbc": ["6690-2", "6690-2", "26464-8", "804-5", "33256-9", "12227-5", "49498-9"],
    "plt": ["777-3", "777-3", "26515-7", "778-1", "97995-5", "49497-1", "74464-9"],
    "anc": ["751-8", "26499-4", "753-4"],
    "blasts": ["26446-5", "709-6"],
}
NEVER = {"wbc": "26465-5", "plt": "32623-1", "anc": "713-8"}
CLUMP_NOTES = [
    "Platelet clumps seen.",
    "No platelet clumps seen",
    "Clumping absent",
    "aggregates present; repeat in citrate",
    "Hemolysis. Satellitism noted",
    "without aggregates, clumped platelets",
    "clumps not seen",
    "Slightly icteric sample",
]
SPECIMEN_WORDS = [
    "Urine",
    "CSF",
    "pleural aspirate",
    "Venous blood",
    "cord sample",
    "control blood",
    "EDTA whole blood",
]


def when_of(r: random.Random) -> datetime:
    days = r.choice(DAYS) if r.random() < 0.88 else r.choice(FAR_DAYS)
    if r.random() < 0.3:
        days = r.choice([0, 1, 2, 7, 14])
    return AS_OF - timedelta(days=days, minutes=r.choice(MINUTES))


def fhir_time(r: random.Random, moment: datetime, plain: bool = False) -> str:
    kind = 0.0 if plain else r.random()
    if kind < 0.04:
        return (moment + timedelta(seconds=r.choice([29, 59]))).isoformat().replace("+00:00", "Z")
    if kind < 0.72:
        return moment.isoformat().replace("+00:00", "Z")
    if kind < 0.88:
        return moment.date().isoformat()
    if kind < 0.98:
        return moment.astimezone(timezone(timedelta(hours=r.choice([-10, -5, 1, 2, 9, 13])))).isoformat()
    return r.choice([moment.strftime("%Y"), moment.strftime("%Y-%m"), moment.strftime("%Y-%m-%dT%H:%M:%S")])


def count(r: random.Random, kind: str, number: int, moments: list[datetime], odd: float) -> Json:
    moment = r.choice(moments) if moments and r.random() < 0.35 else when_of(r)
    moments.append(moment)
    code = r.choice(CODES[kind]) if r.random() < 0.5 else CODES[kind][0]
    codings = [{"system": "http://loinc.org", "code": code}]
    resource: Json = {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": codings},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": fhir_time(r, moment),
    }
    if kind == "blasts":
        resource["effectiveDateTime"] = fhir_time(r, moment, plain=True)
        resource["valueQuantity"] = {
            "value": r.choice([0, 0, 2, 30]),
            "unit": "%",
            "system": "http://unitsofmeasure.org",
            "code": "%",
        }
        if r.random() < 0.3:
            resource.pop("valueQuantity")
            resource["valueCodeableConcept"] = {"text": r.choice(["Present", "Absent"])}
        return resource
    resource["valueQuantity"] = quantity(r, kind, odd)
    if kind == "plt" and r.random() < 0.08:
        resource["note"] = [{"text": r.choice(CLUMP_NOTES)}]
    if r.random() < 0.12:
        resource["status"] = r.choice(["corrected", "amended"])
    if r.random() < 0.15:
        resource["issued"] = (moment + timedelta(hours=r.choice([1, 1, 2, 5]))).isoformat().replace("+00:00", "Z")
    if r.random() < 0.15:
        resource["specimen"] = {"reference": r.choice(["Specimen/s1", "Specimen/s2"])}
    spoil(r, resource, kind, moment, odd)
    return resource


def quantity(r: random.Random, kind: str, odd: float) -> Json:
    text, code, factor = r.choice(UNITS) if r.random() > odd else r.choice(BAD_UNITS)
    value = r.choice(VALUES[kind]) if r.random() > odd / 2 else r.choice(ODD_VALUES)
    made: Json = {"value": round(float(value) * factor, 6)}
    if text is not None:
        made["unit"] = text
    if code is not None:
        made |= {"system": "http://unitsofmeasure.org", "code": code}
    if r.random() < odd:
        made["comparator"] = r.choice(["<", "<=", ">", ">="])
    return made


def spoil(r: random.Random, resource: Json, kind: str, moment: datetime, odd: float) -> None:  # noqa: PLR0912
    """Now and then, one or two of the faults seen in the wild."""
    while r.random() < odd:
        fault = r.randrange(14)
        codings = resource["code"]["coding"]
        if fault == 0:
            resource["status"] = r.choice(["preliminary", "registered", "cancelled", "entered-in-error", "unknown"])
        elif fault == 1:
            resource["subject"] = {"reference": r.choice(["Patient/other", f"Patient/{PATIENT}x"])}
        elif fault == 2:
            resource.pop("valueQuantity", None)
            resource.pop("valueString", None)
            resource["dataAbsentReason"] = {"text": "specimen unsatisfactory"}
        elif fault == 3:
            resource["dataAbsentReason"] = {"text": "questionable"}
        elif fault == 4:
            resource.pop("valueQuantity", None)
            resource["valueString"] = "3.2"
        elif fault == 5:
            resource.pop("valueQuantity", None)
        elif fault == 6:
            resource.pop("valueQuantity", None)
            resource["text"] = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">3.2</div>'}
        elif fault == 7:
            codings.append({"system": "http://loinc.org", "code": {"wbc": "777-3"}.get(kind, "6690-2")})
        elif fault == 8:
            codings.append({"system": "http://loinc.org", "code": NEVER[kind]})
        elif fault == 9:
            codings.insert(
                0,
                r.choice(
                    [{"system": "urn:oid:1.2.3", "code": "WBC"}, {"system": "http://loinc.org", "code": "58410-2"}]
                ),
            )
        elif fault == 10:
            resource["specimen"] = {"display": r.choice(SPECIMEN_WORDS)}
        elif fault == 11:
            resource["code"]["text"] = r.choice(["Leukocytes in liquor", "WBC", "Count (bone marrow)", "fluid balance"])
        elif fault == 12:
            resource.pop("effectiveDateTime", None)
            how = r.randrange(4)
            if how == 0:
                resource["issued"] = moment.isoformat().replace("+00:00", "Z")
            elif how == 1:
                resource["effectiveInstant"] = moment.isoformat().replace("+00:00", "Z")
            elif how == 2:
                resource["effectivePeriod"] = {"start": fhir_time(r, moment)}
        else:
            resource["effectiveDateTime"] = r.choice(
                ["2150-01-01", "2025-13-40", "2025", (AS_OF + timedelta(hours=30)).isoformat()]
            )
            for key in ["effectiveInstant", "effectivePeriod"]:
                resource.pop(key, None)


def clump_test(r: random.Random, number: int, moments: list[datetime]) -> Json:
    moment = r.choice(moments) if moments else when_of(r)
    moment += timedelta(minutes=r.choice([0, 0, 30, 1380, 1440, 1441, -30]))
    resource: Json = {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": r.choice(["final", "final", "final", "preliminary"]),
        "code": {"coding": [{"system": "http://loinc.org", "code": "7796-6"}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": fhir_time(r, moment, plain=True),
        "valueCodeableConcept": {"text": r.choice(["Present", "few", "many", "+", "++", "Absent", "none", "Negative"])},
    }
    other = r.random()
    if other < 0.15:
        resource.pop("valueCodeableConcept")
        resource["valueQuantity"] = {"value": r.choice([0, 1, 3])}
    elif other < 0.3:
        resource.pop("valueCodeableConcept")
        resource["valueString"] = r.choice(["+++", "Moderate", "not seen"])
    elif other < 0.45:
        resource["note"] = [{"text": r.choice(CLUMP_NOTES)}]
    if r.random() < 0.15:
        resource["effectiveDateTime"] = moment.date().isoformat()
    if r.random() < 0.2:
        resource["specimen"] = {"reference": r.choice(["Specimen/s1", "Specimen/s2"])}
    return resource


def component_panel(r: random.Random, number: int, moments: list[datetime], odd: float) -> Json:
    moment = r.choice(moments) if moments else when_of(r)
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "58410-2"}]},
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": fhir_time(r, moment),
        "component": [
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": CODES[kind][0]}]},
                "valueQuantity": quantity(r, kind, odd),
            }
            for kind in ["wbc", "plt"]
        ],
    }


def status_of(kind: str, code: str) -> Json:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{kind}", "code": code}]}


def condition(r: random.Random, number: int, lists: Lists) -> Json:
    rows = [row for row in lists.causes if row["system"].endswith(("icd-10-cm", "sct", "icd-10"))]
    marked = [row for row in rows if row["downgrade"] or row["use"] != "evidence"]
    row = r.choice(rows) if r.random() < 0.6 else r.choice(marked)
    system, code = row["system"], row["code"]
    if row["match"] == "prefix" and r.random() < 0.7:
        code += r.choice(["0", "1", "9"]) if "." in code else r.choice([".0", ".1", ".9"])
    if row["who_icd10"] == "same" and r.random() < 0.4:
        system = "http://hl7.org/fhir/sid/icd-10"
    if r.random() < 0.1:
        code = code.replace(".", "")
    resource: Json = {
        "resourceType": "Condition",
        "id": f"c{number}",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": f"Patient/{PATIENT if r.random() < 0.95 else 'other'}"},
    }
    if r.random() < 0.92:
        clinical = (
            "active" if r.random() < 0.75 else r.choice(["recurrence", "relapse", "inactive", "remission", "resolved"])
        )
        resource["clinicalStatus"] = status_of("condition-clinical", clinical)
    if r.random() < 0.92:
        verification = (
            "confirmed"
            if r.random() < 0.7
            else r.choice(["provisional", "unconfirmed", "differential", "refuted", "entered-in-error"])
        )
        resource["verificationStatus"] = status_of("condition-ver-status", verification)
    if r.random() < 0.75:
        resource["onsetDateTime"] = day_text(r)
    if r.random() < 0.08:
        resource["abatementDateTime"] = r.choice([day_text(r), "2026-01-14", "2026-01-15", "2026-01-16", "2026-03-01"])
    if r.random() < 0.1:
        second = r.choice(rows)
        resource["code"]["coding"].append({"system": second["system"], "code": second["code"]})
    if r.random() < 0.5:
        resource["recordedDate"] = day_text(r)
    return resource


def day_text(r: random.Random) -> str:
    days = r.choice([*DAYS, 37, 44, 97, 500])
    return (AS_OF - timedelta(days=days)).date().isoformat()


def medication(r: random.Random, number: int, lists: Lists) -> Json:
    rows = [row for row in lists.causes if row["system"].endswith(("rxnorm", "atc"))]
    marked = [row for row in rows if row["downgrade"] or row["use"] != "evidence" or row["group"] == "counter"]
    row = r.choice(rows) if r.random() < 0.6 else r.choice(marked)
    code = row["code"]
    if row["system"].endswith("atc") and row["match"] == "prefix":
        code += {1: "X", 3: r.choice(["EA01", "FD01", "AA01", "XX05"]), 4: "A01", 5: "01"}.get(len(code), "")
    resource: Json = {
        "resourceType": "MedicationRequest",
        "id": f"m{number}",
        "status": "active" if r.random() < 0.5 else r.choice(["completed", "stopped", "cancelled", "on-hold", "draft"]),
        "intent": "order" if r.random() < 0.85 else r.choice(["plan", "proposal"]),
        "medicationCodeableConcept": {"coding": [{"system": row["system"], "code": code}]},
        "subject": {"reference": f"Patient/{PATIENT if r.random() < 0.95 else 'other'}"},
    }
    named = [one["display"] for one in rows if one["match"] == "ingredient" and re.fullmatch(r"[\w ]+", one["display"])]
    if r.random() < 0.2:
        concept: Json = {
            "text": r.choice(["", "Tab. "]) + r.choice(named) + r.choice(["", " 10 mg tablet", "/placebo"])
        }
        if r.random() < 0.3:
            concept["coding"] = [{"system": "urn:oid:1.2.3", "code": "D1"}]
        resource["medicationCodeableConcept"] = concept
    if r.random() < 0.8:
        resource["authoredOn"] = day_text(r)
    if r.random() < 0.07:
        resource["doNotPerform"] = True
    if r.random() < 0.3:
        period: Json = {}
        if r.random() < 0.8:
            period["start"] = day_text(r)
        if r.random() < 0.6:
            period["end"] = day_text(r)
        if period.get("start", "") > period.get("end", "9"):
            period["start"], period["end"] = period["end"], period["start"]
        resource["dosageInstruction"] = [{"timing": {"repeat": {"boundsPeriod": period}}}]
    if r.random() < 0.2:
        resource["dispenseRequest"] = {"validityPeriod": {"end": day_text(r)}}
    return resource


def bundle(resources: list[Json]) -> Json:
    found = [
        {"fullUrl": f"https://ehr.example.org/fhir/{one['resourceType']}/{one['id']}", "resource": one}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(found)} | ({"entry": found} if found else {})


def prefetch_of(resources: list[Json]) -> Json:
    return {
        "patient": {"resourceType": "Patient", "id": PATIENT, "birthDate": "1970-05-05"},
        "counts": bundle([one for one in resources if one["resourceType"] == "Observation"]),
        "companions": bundle([]),
        "conditions": bundle([one for one in resources if one["resourceType"] == "Condition"]),
        "medications": bundle([one for one in resources if one["resourceType"] == "MedicationRequest"]),
    }


def story(r: random.Random) -> list[Json]:
    """Two falling or lasting series at the edges of the pair, the run and the mild fall."""
    made: list[Json] = []
    start = r.choice([0, 1, 5, 30, 83])
    for kind, values in [("wbc", ["2.9", "3.0", "3.5", "3.9"]), ("plt", ["99", "100", "120", "149"])]:
        days = start + r.choice([0, 0, 1, 6, 7, 8])
        for number in range(r.choice([1, 2, 2, 3])):
            normal = number > 0 and r.random() < 0.5
            value = r.choice({"wbc": ["4.0", "5"], "plt": ["150", "220"]}[kind] if normal else values)
            moment = AS_OF - timedelta(days=days)
            made.append(
                {
                    "resourceType": "Observation",
                    "id": f"s{len(made)}",
                    "status": "final",
                    "code": {"coding": [{"system": "http://loinc.org", "code": CODES[kind][0]}]},
                    "subject": {"reference": f"Patient/{PATIENT}"},
                    "effectiveDateTime": moment.date().isoformat() if r.random() < 0.3 else fhir_time(r, moment, True),
                    "valueQuantity": {"value": float(value), "unit": "10*9/L", "code": "10*9/L"},
                }
            )
            days += r.choice([3, 6, 7, 8, 30, 180, 181])
    return made


def chart(r: random.Random, lists: Lists) -> list[Json]:
    """One chart's resources."""
    odd = r.choice([0.0, 0.02, 0.1, 0.25])
    moments: list[datetime] = []
    made: list[Json] = []
    told = r.random() < 0.35
    if told:
        made += story(r)
    for _ in range(r.choice([0, 0, 1, 2]) if told else r.randint(0, 8)):
        kind = r.choices(["wbc", "plt", "anc", "blasts"], [45, 40, 10, 5])[0]
        made.append(count(r, kind, len(made), moments, odd))
    if r.random() < 0.15:
        made.append(clump_test(r, len(made), moments))
    if r.random() < 0.08:
        made.append(component_panel(r, len(made), moments, odd))
    for _ in range(r.choice([0, 0, 1, 2, 4])):
        made.append(condition(r, len(made), lists))
    for _ in range(r.choice([0, 0, 1, 3])):
        made.append(medication(r, len(made), lists))
    if made and r.random() < 0.06:
        made.append(another_version(r, r.choice(made)))
    return made


def another_version(r: random.Random, resource: Json) -> Json:
    """The same id once more, as it was or will be: the later `meta.lastUpdated` counts."""
    resource["meta"] = {"lastUpdated": "2026-01-10T00:00:00Z"}
    version = copy.deepcopy(resource)
    version["meta"] = {"lastUpdated": r.choice(["2026-01-09T00:00:00Z", "2026-01-11T00:00:00Z"])}
    if version["resourceType"] == "Observation":
        version["status"] = r.choice(["entered-in-error", "corrected", "cancelled"])
    return version
