"""The CapabilityStatement of the sandbox's FHIR server, made from its own parameter table."""

from cds_service.sandbox.fhir_server.parameters import RESOURCE_TYPES, parameters_of
from cds_service.sandbox.fhir_server.store import Resource

_INTERACTIONS = ("read", "search-type", "create", "update", "delete")


def capability_statement(base: str, date: str) -> Resource:
    """What the server can do (FHIR R4 CapabilityStatement, kind instance)."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "cytopenia-cds sandbox"},
        "implementation": {"description": "In-memory FHIR server with synthetic patients only.", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "security": {"cors": True},
                "resource": [_resource(resource_type) for resource_type in RESOURCE_TYPES],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def _resource(resource_type: str) -> Resource:
    return {
        "type": resource_type,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "no-version",
        "updateCreate": True,
        "searchParam": [
            {"name": name, "type": parameter.kind} for name, parameter in sorted(parameters_of(resource_type).items())
        ],
    }
