"""What STU3 and R5 name otherwise than R4, or have in another form: told by a resource's shape, and put into R4's.

Room: fhir_reading. The one place that knows how the releases differ in what is read; behind it everything is R4 (R4B
doesn't differ). Elements that decide whether a resource counts are validated by their own release's models first.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from cds_service.fhir_reading.codings import codes_of
from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.projection import CONCEPT, DATE, Json, ResourceShape, is_empty, members, text_at
from cds_service.fhir_reading.releases import Release, Validated, validated

STU3, R5 = Release.STU3, Release.R5
ONLY_IN: Final[Mapping[str, Mapping[str, Release]]] = {
    "Observation": {
        **dict.fromkeys(("comment", "related", "context"), STU3),
        **dict.fromkeys(("bodyStructure", "instantiatesCanonical", "instantiatesReference", "triggeredBy"), R5),
    },
    "Condition": {**dict.fromkeys(("assertedDate", "abatementBoolean", "context"), STU3), "participant": R5},
    "MedicationRequest": {
        **dict.fromkeys(("context", "definition"), STU3),
        **dict.fromkeys(("medication", "reason", "effectiveDosePeriod", "renderedDosageInstruction"), R5),
    },
    "MedicationStatement": {
        **dict.fromkeys(("taken", "reasonNotTaken"), STU3),
        **dict.fromkeys(("medication", "reason", "adherence", "renderedDosageInstruction"), R5),
    },
    "MedicationAdministration": {
        **dict.fromkeys(("notGiven", "reasonNotGiven", "prescription"), STU3),
        **dict.fromkeys(("medication", "reason", "occurenceDateTime", "occurencePeriod", "occurenceTiming"), R5),
    },
    "DiagnosticReport": {
        **dict.fromkeys(("context", "codedDiagnosis", "image"), STU3),
        **dict.fromkeys(("composition", "study", "supportingInfo"), R5),
    },
    "Medication": {
        **dict.fromkeys(("isBrand", "isOverTheCounter", "package", "image"), STU3),
        **dict.fromkeys(("doseForm", "totalVolume", "marketingAuthorizationHolder", "definition"), R5),
    },
}
"""Resource type, and the elements that only one release has (R5's misspelt `occurence` is the specification's)."""

_STATUSES = ("clinicalStatus", "verificationStatus")
_TAKEN_OR_NOT_KNOWN = frozenset({"y", "unk", "na"})
_ADHERENCE = {
    "not-taking": "not-taken",
    **dict.fromkeys(("on-hold", "on-hold-as-directed", "on-hold-not-as-directed"), "on-hold"),
    **dict.fromkeys(("stopped", "stopped-as-directed", "stopped-not-as-directed"), "stopped"),
}
"""R5's adherence to the status it has in R4. Whoever takes a drug otherwise than directed takes it."""


def release_told_by(resource: Json) -> Release | None:
    """The release that alone has an element of this resource; None: it looks like R4."""
    resource_type = str(resource.get("resourceType"))
    only_in = ONLY_IN.get(resource_type, {})
    if not only_in.keys().isdisjoint(resource):
        told = next((release for name, release in only_in.items() if not is_empty(resource.get(name))), None)
        if told is not None:
            return told
    coded = resource_type == "Condition" and any(isinstance(resource.get(name), str) for name in _STATUSES)
    return STU3 if coded else None


def in_r4_shape(entries: Iterable[Entry], site: Release | None = None) -> tuple[Entry, ...]:
    """The entries of a call as R4 has them.

    Args:
        entries: of any release; each is read as the release that its shape tells.
        site: the release of those whose shape tells none; None: the one that the other entries tell, else R4.
    """
    listed = tuple(entries)
    told = [release_told_by(entry.resource) for entry in listed]
    found = set(told) - {None}
    default = site or (found.pop() if len(found) == 1 else None) or Release.R4
    return tuple(_entry_as_r4(entry, release or default) for entry, release in zip(listed, told, strict=True))


def _entry_as_r4(entry: Entry, release: Release) -> Entry:
    resource = _as_r4(entry.resource, release)
    return entry if resource is entry.resource else replace(entry, resource=resource)


def _as_r4(resource: Json, release: Release) -> Json:
    """A resource, and what it contains, in R4's shape; the same object where nothing differs."""
    differs = _DIFFERENCES.get((release, str(resource.get("resourceType"))))
    if differs is not None:
        resource = {**resource, **differs.as_r4(resource, validated(resource, differs.sent, release))}
    contained = list(members(resource, "contained")) if "contained" in resource else []
    parts = [_as_r4(part, release_told_by(part) or release) for part in contained]
    alike = all(part is sent for part, sent in zip(parts, contained, strict=True))
    return resource if alike else {**resource, "contained": parts}


def _stu3_observation(resource: Json, sent: Validated) -> dict[str, object]:
    r4: dict[str, object] = {}
    if "comment" in sent.elements:
        r4["note"] = [*members(resource, "note"), {"text": sent.elements["comment"]}]
    related = [one.get("target") for one in members(resource, "related") if one.get("type") == "has-member"]
    return r4 | ({"hasMember": [*members(resource, "hasMember"), *related]} if related else {})


def _stu3_condition(resource: Json, sent: Validated) -> dict[str, object]:
    codes = {name: sent.elements[name] for name in _STATUSES if name in sent.elements}
    r4: dict[str, object] = {name: {"coding": [{"code": code}]} for name, code in codes.items()}
    if codes.get("verificationStatus") == "unknown":
        r4["verificationStatus"] = None  # STU3 requires one; R4 leaves it out
    if "assertedDate" in sent.elements and is_empty(resource.get("recordedDate")):
        r4["recordedDate"] = sent.elements["assertedDate"]
    if sent.has("abatementBoolean") and sent.elements.get("abatementBoolean") is not False:
        r4["abatementString"] = "abated"
    return r4


def _stu3_statement(_: Json, sent: Validated) -> dict[str, object]:
    taken = sent.elements.get("taken")
    if not sent.has("taken") or taken in _TAKEN_OR_NOT_KNOWN:
        return {}
    return {"status": "not-taken" if taken == "n" else "unknown"}


def _stu3_administration(_: Json, sent: Validated) -> dict[str, object]:
    given = not sent.has("notGiven") or sent.elements.get("notGiven") is False
    return {} if given else {"status": "not-done"}


def _r5_observation(resource: Json, _: Validated) -> dict[str, object]:
    named = text_at(resource, "bodyStructure", "display")
    return {"bodySite": {"text": named}} if named is not None and is_empty(resource.get("bodySite")) else {}


def _r5_condition(_: Json, sent: Validated) -> dict[str, object]:
    """R5 requires a clinical status: `unknown` stands where R4 has none."""
    return {"clinicalStatus": None} if codes_of(sent.elements.get("clinicalStatus")) == {"unknown"} else {}


def _r5_request(resource: Json, sent: Validated) -> dict[str, object]:
    """`ended` is R5's word above completed and stopped."""
    ended = {"status": "stopped"} if sent.elements.get("status") == "ended" else {}
    return {**_r5_medication_of(resource), **_renamed(resource, {"effectiveDosePeriod": "effectivePeriod"}), **ended}


def _r5_statement(resource: Json, sent: Validated) -> dict[str, object]:
    """`recorded` says nothing of the drug: whether it is taken, adherence and the period tell."""
    status: dict[str, object] = {}
    if sent.elements.get("status") == "recorded":
        adherence = codes_of(sent.elements.get("adherence", {}).get("code"))
        known = (_ADHERENCE[code] for code in _ADHERENCE if code in adherence)
        status = {"status": "unknown" if "adherence" in sent.faulty else next(known, "active")}
    return {**_r5_medication_of(resource), **status}


def _r5_administration(resource: Json, _: Validated) -> dict[str, object]:
    times = {"occurenceDateTime": "effectiveDateTime", "occurencePeriod": "effectivePeriod"}
    return {**_r5_medication_of(resource), **_renamed(resource, times)}


def _r5_medication(resource: Json, _: Validated) -> dict[str, object]:
    ingredients = [
        {**ingredient, **_renamed(ingredient.get("item"), {"concept": "itemCodeableConcept"})}
        for ingredient in members(resource, "ingredient")
    ]
    return {"ingredient": ingredients} if ingredients else {}


def _r5_medication_of(resource: Json) -> dict[str, object]:
    names = {"concept": "medicationCodeableConcept", "reference": "medicationReference"}
    return _renamed(resource.get("medication"), names)


def _renamed(element: object, names: Mapping[str, str]) -> dict[str, object]:
    """The parts of an object under other names."""
    parts = element if isinstance(element, dict) else {}
    return {new: parts[old] for old, new in names.items() if not is_empty(parts.get(old))}


@dataclass(frozen=True)
class _Difference:
    """What a release has otherwise, validated as it was sent, and the R4 elements to read in its place."""

    sent: ResourceShape
    as_r4: Callable[[Json, Validated], dict[str, object]]


_DIFFERENCES: Final[Mapping[tuple[Release, str], _Difference]] = {
    (release, sent.resource_type): _Difference(sent, as_r4)
    for release, sent, as_r4 in (
        (STU3, ResourceShape("Observation", {"comment": None}), _stu3_observation),
        (
            STU3,
            ResourceShape("Condition", {**dict.fromkeys(_STATUSES), "assertedDate": DATE, "abatementBoolean": None}),
            _stu3_condition,
        ),
        (STU3, ResourceShape("MedicationStatement", {"taken": None}), _stu3_statement),
        (STU3, ResourceShape("MedicationAdministration", {"notGiven": None}), _stu3_administration),
        (R5, ResourceShape("Observation", {}), _r5_observation),
        (R5, ResourceShape("Condition", {"clinicalStatus": CONCEPT}), _r5_condition),
        (R5, ResourceShape("MedicationRequest", {"status": None}), _r5_request),
        (R5, ResourceShape("MedicationStatement", {"status": None, "adherence": {"code": CONCEPT}}), _r5_statement),
        (R5, ResourceShape("MedicationAdministration", {}), _r5_administration),
        (R5, ResourceShape("Medication", {}), _r5_medication),
    )
}
