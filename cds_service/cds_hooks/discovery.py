"""The answer of discovery (CDS Hooks 3.0, Discovery). Knows what an entry looks like, not what it offers."""

from collections.abc import Iterable, Mapping
from typing import Protocol

SPECIFICATION_VERSION = "3.0.0-ballot"
"""The release of CDS Hooks implemented here (discovery's `version`)."""
HOOK_VERSIONS: Mapping[str, str] = {"patient-view": "1.0"}
"""The published version of each hook served (hook library)."""


class Describable(Protocol):
    """What discovery tells of a service, named as on the wire."""

    @property
    def id(self) -> str:
        """One URL path segment."""
        ...

    @property
    def hook(self) -> str:
        """The hook the id is listed for."""
        ...

    @property
    def title(self) -> str:
        """A human-friendly name."""
        ...

    @property
    def description(self) -> str:
        """What the service does, in plain text."""
        ...

    @property
    def usage_requirements(self) -> str:
        """What a client must have or do."""
        ...

    @property
    def prefetch(self) -> Mapping[str, str]:
        """Key to prefetch template."""
        ...


def describe_services(services: Iterable[Describable]) -> dict[str, object]:
    """The body of GET /cds-services; optional members without a value are left out."""
    return {"services": [_describe(service) for service in services]}


def _describe(service: Describable) -> dict[str, object]:
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
