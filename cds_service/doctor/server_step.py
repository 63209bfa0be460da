"""First step: does the server answer, and what does it say of itself? Asked through the service's own introduction."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from cds_service.doctor.answers import document_of, reason_of
from cds_service.doctor.failures import NO_ANSWER, failure_of, unreached_because
from cds_service.doctor.listening import Exchange
from cds_service.doctor.steps import Outcome, Step, worst
from cds_service.fhir_reading.projection import members, text_at
from cds_service.fhir_reading.releases import Release
from cds_service.outbound.urls import HttpUrl
from cds_service.services.chart_text import clean_text

_TITLE = "The server"
_WANTED = {
    "Patient": (),
    "Observation": ("patient", "code", "component-code", "combo-code"),
    "Condition": ("patient",),
    "MedicationRequest": ("patient",),
}
"""Types and search parameters that the service asks for; those by component only where a server offers them."""


def server_step(exchange: Exchange, base_url: str, release: Release | None, has_token: bool = False) -> Step:
    """What came back for the CapabilityStatement; `has_token`: one was sent with the question."""
    reason = reason_of(exchange, "CapabilityStatement")
    if reason == "not-reached":
        reason = unreached_because(base_url)
    if reason:
        failure = failure_of(reason)
        stops = reason in NO_ANSWER
        says = (failure.says,) if stops else (f"It tells nothing of itself. {failure.says}", "That alone is no harm.")
        outcome = Outcome.PROBLEM if stops else Outcome.NOTE
        return Step(_TITLE, outcome, says, (failure.advice,), {"reason": reason, "milliseconds": exchange.milliseconds})
    step = _introduced(document_of(exchange), exchange.milliseconds, release)
    if has_token and _is_in_clear(base_url):
        outcome = worst([step.outcome, Outcome.NOTE])
        return replace(step, outcome=outcome, says=(*step.says, "The token travels unencrypted, as this is http."))
    return step


def _is_in_clear(base_url: str) -> bool:
    url = HttpUrl.parse(base_url)
    return url.scheme == "http" and not url.is_loopback


def forbidden_step() -> Step:
    """The server is one that we would not call, whoever lists it."""
    failure = failure_of("address-forbidden")
    return Step(_TITLE, Outcome.PROBLEM, (failure.says,), (failure.advice,), {"reason": "address-forbidden"})


def _introduced(statement: Mapping[str, object], milliseconds: float, release: Release | None) -> Step:
    version = clean_text(text_at(statement, "fhirVersion") or "no release told", 20)
    name = clean_text(text_at(statement.get("software"), "name") or "software not named")
    lacking = tuple(_lacking(statement))
    says = (
        f"It answers in {milliseconds:.0f} ms and says: FHIR {version}; {name}.",
        *((f"Its CapabilityStatement doesn't offer: {', '.join(lacking)}.",) if lacking else ()),
    )
    facts = {"fhirVersion": version, "software": name, "notOffered": lacking, "milliseconds": milliseconds}
    if release is None:
        advice = "Only STU3, R4, R4B and R5 are read; most servers have an R4 base URL of its own."
        return Step(_TITLE, Outcome.PROBLEM, says, (advice,), facts)
    return Step(_TITLE, Outcome.NOTE if lacking else Outcome.FINE, says, (), facts)


def _lacking(statement: Mapping[str, object]) -> Iterator[str]:
    offered = {
        text_at(resource, "type"): {text_at(parameter, "name") for parameter in members(resource, "searchParam")}
        for rest in members(statement, "rest")
        for resource in members(rest, "resource")
    }
    for resource_type, parameters in _WANTED.items():
        if resource_type not in offered:
            yield resource_type
        else:
            yield from (f"{resource_type}?{name}" for name in parameters if name not in offered[resource_type])
