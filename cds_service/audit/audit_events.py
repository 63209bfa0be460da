"""An entry of the trail as a FHIR R4 AuditEvent (hl7.org/fhir/R4/auditevent.html). Knows no database.

Roles are coded as IHE's Basic Audit Log Patterns do: the client is the source, this service the destination, the user
the information's recipient.
"""

import json
from collections.abc import Iterator
from datetime import UTC
from uuid import UUID, uuid5

from cds_service.records.audit_trail import AuditEntry
from cds_service.web.request_log import SMART_APP

_NAMESPACE = UUID("9f0f4f0e-0c0a-5b7e-8d55-3d1a64d1c0de")
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_URI = "urn:ietf:rfc:3986"
_OBSERVER = "cytopenia-cds"

Json = dict[str, object]


def _coding(system: str, code: str, display: str) -> Json:
    return {"system": system, "code": code, "display": display}


_HOOK = _coding("https://cds-hooks.org/hooks", "patient-view", "patient-view")
_APP = _coding("https://cytopenia-cds.org/CodeSystem/audit", SMART_APP, "SMART app")


def audit_event(entry: AuditEntry) -> Json:
    """The AuditEvent; the same entry has the same id in every export."""
    return {
        "resourceType": "AuditEvent",
        "id": _id(entry),
        "type": _coding(_DICOM, "110112", "Query"),
        "subtype": [_APP if entry.service == SMART_APP else _HOOK],
        "action": "E",
        "recorded": entry.recorded_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "outcome": "0" if entry.status < 400 else "4" if entry.status < 500 else "8",
        "outcomeDesc": f"HTTP status {entry.status}",
        "agent": list(_agents(entry)),
        "source": _source(entry),
        "entity": list(_entities(entry)),
    }


def _id(entry: AuditEntry) -> str:
    told = (entry.recorded_at.astimezone(UTC).isoformat(), entry.hook_instance, entry.patient_hash, entry.client.issuer)
    return str(uuid5(_NAMESPACE, json.dumps(told)))


def _agents(entry: AuditEntry) -> Iterator[Json]:
    if entry.user_hash:
        recipient = _concept(f"{_TERMINOLOGY}/v3-ParticipationType", "IRCP", "information recipient")
        yield {"type": recipient, "who": _pseudonym(entry, entry.user_hash), "requestor": True}
    issuer = entry.client.issuer
    yield {
        "type": _concept(_DICOM, "110153", "Source Role ID"),
        "who": {"identifier": {"system": _URI, "value": issuer}} if issuer else {"display": "client not authenticated"},
        "requestor": not entry.user_hash,
    }
    service = f"{_OBSERVER} {entry.service}" if entry.service else _OBSERVER
    yield {
        "type": _concept(_DICOM, "110152", "Destination Role ID"),
        "who": {"display": service},
        "requestor": False,
    }


def _source(entry: AuditEntry) -> Json:
    source: Json = {
        "observer": {"display": _OBSERVER},
        "type": [_coding(f"{_TERMINOLOGY}/security-source-type", "4", "Application Server")],
    }
    return source | ({"site": entry.client.tenant} if entry.client.tenant else {})


def _entities(entry: AuditEntry) -> Iterator[Json]:
    if entry.patient_hash:
        yield {
            "what": _pseudonym(entry, entry.patient_hash),
            "type": _coding(f"{_TERMINOLOGY}/audit-entity-type", "1", "Person"),
            "role": _coding(f"{_TERMINOLOGY}/object-role", "1", "Patient"),
        }
    thing = _coding(f"{_TERMINOLOGY}/audit-entity-type", "2", "System Object")
    if entry.hook_instance:
        yield {"what": _uuid(entry.hook_instance), "type": thing, "name": "hookInstance"}
    yield {
        "type": thing,
        "role": _coding(f"{_TERMINOLOGY}/object-role", "3", "Report"),
        "name": "answer",
        "detail": [{"type": name, "valueString": text} for name, text in _details(entry)],
    }


def _details(entry: AuditEntry) -> Iterator[tuple[str, str]]:
    """What was answered, each as a name and a text."""
    yield "status", str(entry.status)
    if entry.knowledge_version:
        yield "knowledgeVersion", entry.knowledge_version
    for name, value in entry.answered.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{part}", str(told)) for part, told in value.items())
        elif isinstance(value, list):
            yield from ((name, str(one)) for one in value)
        else:
            yield name, str(value)


def _pseudonym(entry: AuditEntry, hashed: str) -> Json:
    return {"identifier": {"system": f"https://cytopenia-cds.org/pseudonym/{entry.key_id}", "value": hashed}}


def _uuid(value: str) -> Json:
    return {"identifier": {"system": _URI, "value": f"urn:uuid:{value}"}}


def _concept(system: str, code: str, display: str) -> Json:
    return {"coding": [_coding(system, code, display)]}
