"""What STU3 has otherwise than R4, and as what it is read. Statuses of conditions are plain codes there.

Room: fhir_reading. Knows no other release.
"""

from typing import Final

from cds_service.fhir_reading.projection import DATE, Json, ResourceShape, is_empty, members
from cds_service.fhir_reading.releases import Difference, Validated

_STATUSES = ("clinicalStatus", "verificationStatus")
_TAKEN_OR_NOT_KNOWN = frozenset({"y", "unk", "na"})


def _observation(resource: Json, sent: Validated) -> dict[str, object]:
    r4: dict[str, object] = {}
    if "comment" in sent.elements:
        r4["note"] = [*members(resource, "note"), {"text": sent.elements["comment"]}]
    related = [one.get("target") for one in members(resource, "related") if one.get("type") == "has-member"]
    return r4 | ({"hasMember": [*members(resource, "hasMember"), *related]} if related else {})


def _condition(resource: Json, sent: Validated) -> dict[str, object]:
    codes = {name: sent.elements[name] for name in _STATUSES if name in sent.elements}
    r4: dict[str, object] = {name: {"coding": [{"code": code}]} for name, code in codes.items()}
    if codes.get("verificationStatus") == "unknown":
        r4["verificationStatus"] = None  # STU3 requires one; R4 leaves it out
    if "assertedDate" in sent.elements and is_empty(resource.get("recordedDate")):
        r4["recordedDate"] = sent.elements["assertedDate"]
    if sent.has("abatementBoolean") and sent.elements.get("abatementBoolean") is not False:
        r4["abatementString"] = "abated"
    return r4


def _statement(_: Json, sent: Validated) -> dict[str, object]:
    taken = sent.elements.get("taken")
    if not sent.has("taken") or taken in _TAKEN_OR_NOT_KNOWN:
        return {}
    return {"status": "not-taken" if taken == "n" else "unknown"}


def _administration(_: Json, sent: Validated) -> dict[str, object]:
    given = not sent.has("notGiven") or sent.elements.get("notGiven") is False
    return {} if given else {"status": "not-done"}


DIFFERENCES: Final = (
    Difference(ResourceShape("Observation", {"comment": None}), _observation),
    Difference(
        ResourceShape("Condition", {**dict.fromkeys(_STATUSES), "assertedDate": DATE, "abatementBoolean": None}),
        _condition,
    ),
    Difference(ResourceShape("MedicationStatement", {"taken": None}), _statement),
    Difference(ResourceShape("MedicationAdministration", {"notGiven": None}), _administration),
)
