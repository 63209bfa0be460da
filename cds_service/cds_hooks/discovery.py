"""The answer of discovery (CDS Hooks 3.0, Discovery). Knows what an entry looks like, not what it offers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SPECIFICATION_VERSION = "3.0.0-ballot"
"""The release of CDS Hooks implemented here (discovery's `version`)."""
HOOK_VERSIONS: Mapping[str, str] = {"patient-view": "1.0"}
"""The published version of each hook served (hook library)."""


@dataclass(frozen=True)
class ServiceDescription:
    """One entry of discovery, named as on the wire; `hook` is one of `HOOK_VERSIONS`."""

    id: str
    hook: str
    title: str
    description: str
    usage_requirements: str
    prefetch: Mapping[str, str]


def describe_services(services: Iterable[ServiceDescription]) -> dict[str, object]:
    """The body of GET /cds-services; optional members without a value are left out."""
    return {"services": [_describe(service) for service in services]}


def _describe(service: ServiceDescription) -> dict[str, object]:
    entry: dict[str, object] = {
        "hook": service.hook,
        "hookVersion": HOOK_VERSIONS[service.hook],
        "id": service.id,
        "title": service.title,
        "description": service.description,
        "usageRequirements": service.usage_requirements,
        "prefetch": dict(service.prefetch),
        "version": SPECIFICATION_VERSION,
    }
    return {name: value for name, value in entry.items() if value}
