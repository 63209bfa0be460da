"""Which search parameters each resource type has, as in FHIR R4: a kind and the elements it looks at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["token", "reference", "date", "string", "uri"]


@dataclass(frozen=True)
class Parameter:
    """One search parameter. `paths` are dotted element paths; a list on the way means each of its items."""

    kind: Kind
    paths: tuple[str, ...]
    target: str | None = None


def _token(*paths: str) -> Parameter:
    return Parameter("token", paths)


def _date(*paths: str) -> Parameter:
    return Parameter("date", paths)


def _reference(*paths: str) -> Parameter:
    return Parameter("reference", paths)


def _patient(path: str) -> dict[str, Parameter]:
    """`patient`, and `subject` where that is what the element is called."""
    patient = {"patient": Parameter("reference", (path,), target="Patient")}
    return patient | {"subject": _reference(path)} if path == "subject" else patient


_EVERYWHERE: Mapping[str, Parameter] = {
    "_id": _token("id"),
    "_lastUpdated": _date("meta.lastUpdated"),
    "_tag": _token("meta.tag"),
    "_profile": Parameter("uri", ("meta.profile",)),
    "identifier": _token("identifier"),
}

_COMBO = ("code", "component.code")
_EFFECTIVE = _date("effectiveDateTime", "effectivePeriod", "effectiveInstant", "effectiveTiming")

_BY_TYPE: Mapping[str, Mapping[str, Parameter]] = {
    "Patient": {
        "name": Parameter("string", ("name.family", "name.given", "name.text")),
        "family": Parameter("string", ("name.family",)),
        "given": Parameter("string", ("name.given",)),
        "birthdate": _date("birthDate"),
        "gender": _token("gender"),
        "active": _token("active"),
    },
    "Observation": _patient("subject")
    | {
        "code": _token("code"),
        "component-code": _token("component.code"),
        "combo-code": _token(*_COMBO),
        "category": _token("category"),
        "status": _token("status"),
        "date": _EFFECTIVE,
        "encounter": _reference("encounter"),
        "specimen": _reference("specimen"),
        "performer": _reference("performer"),
        "value-concept": _token("valueCodeableConcept"),
    },
    "DiagnosticReport": _patient("subject")
    | {
        "code": _token("code"),
        "category": _token("category"),
        "status": _token("status"),
        "date": _date("effectiveDateTime", "effectivePeriod"),
        "issued": _date("issued"),
        "result": _reference("result"),
        "encounter": _reference("encounter"),
    },
    "Condition": _patient("subject")
    | {
        "code": _token("code"),
        "category": _token("category"),
        "clinical-status": _token("clinicalStatus"),
        "verification-status": _token("verificationStatus"),
        "onset-date": _date("onsetDateTime", "onsetPeriod"),
        "abatement-date": _date("abatementDateTime", "abatementPeriod"),
        "recorded-date": _date("recordedDate"),
        "encounter": _reference("encounter"),
    },
    "MedicationRequest": _patient("subject")
    | {
        "code": _token("medicationCodeableConcept"),
        "medication": _reference("medicationReference"),
        "status": _token("status"),
        "intent": _token("intent"),
        "category": _token("category"),
        "authoredon": _date("authoredOn"),
        "encounter": _reference("encounter"),
    },
    "MedicationStatement": _patient("subject")
    | {
        "code": _token("medicationCodeableConcept"),
        "status": _token("status"),
        "effective": _date("effectiveDateTime", "effectivePeriod"),
    },
    "MedicationAdministration": _patient("subject")
    | {
        "code": _token("medicationCodeableConcept"),
        "status": _token("status"),
        "effective-time": _date("effectiveDateTime", "effectivePeriod"),
    },
    "Encounter": _patient("subject")
    | {"status": _token("status"), "class": _token("class"), "type": _token("type"), "date": _date("period")},
    "Procedure": _patient("subject")
    | {
        "code": _token("code"),
        "status": _token("status"),
        "date": _date("performedDateTime", "performedPeriod"),
    },
    "ServiceRequest": _patient("subject")
    | {
        "code": _token("code"),
        "status": _token("status"),
        "intent": _token("intent"),
        "authored": _date("authoredOn"),
    },
    "Specimen": _patient("subject") | {"type": _token("type"), "collected": _date("collection.collectedDateTime")},
    "AllergyIntolerance": _patient("patient")
    | {
        "code": _token("code"),
        "clinical-status": _token("clinicalStatus"),
        "date": _date("recordedDate"),
    },
    "FamilyMemberHistory": _patient("patient") | {"status": _token("status"), "date": _date("date")},
    "Medication": {"code": _token("code"), "status": _token("status")},
    "Practitioner": {"name": Parameter("string", ("name.family", "name.given", "name.text"))},
    "Organization": {"name": Parameter("string", ("name",))},
}

RESOURCE_TYPES = tuple(sorted(_BY_TYPE))


def parameters_of(resource_type: str) -> Mapping[str, Parameter]:
    """The search parameters of one of `RESOURCE_TYPES`."""
    return {**_EVERYWHERE, **_BY_TYPE[resource_type]}


def elements(node: object, path: str) -> Iterator[object]:
    """Every value found at a dotted path in a resource."""
    if isinstance(node, list):
        for item in node:
            yield from elements(item, path)
    elif not path:
        yield node
    elif isinstance(node, Mapping):
        name, _, rest = path.partition(".")
        if name in node:
            yield from elements(node[name], rest)


def values_of(resource: Mapping[str, object], parameter: Parameter) -> list[object]:
    """Every value a search parameter looks at in a resource."""
    return [value for path in parameter.paths for value in elements(resource, path)]
