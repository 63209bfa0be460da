"""`cds-service sandbox` as a process of its own, on a free port, and synthetic charts put on its FHIR server."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import urlencode

from cds_service.outbound.plain import post_json
from cds_service.sandbox.launch_context import LaunchContext

COMMAND = [sys.executable, "-m", "cds_service", "sandbox"]
_LOINC = "http://loinc.org"
_CODES = {"wbc": ("6690-2", "10*3/uL"), "plt": ("777-3", "10*3/uL"), "hb": ("718-7", "g/dL")}
Resource = dict[str, Any]


@contextmanager
def running() -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """The process, its URL and its log, which is a file: a pipe nobody reads would stop it."""
    with (
        NamedTemporaryFile() as log,
        subprocess.Popen([*COMMAND, "--port", "0"], stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert found, Path(log.name).read_text()
            yield process, found[0], Path(log.name)
        finally:
            process.kill()


def launch_url(sandbox: str, patient: str, **context: Any) -> str:
    """Where the sandbox's EHR launches the app for a patient; `context` says what it decides of this launch."""
    handle = LaunchContext(patient, **context).handle()
    return f"{sandbox}/smart/launch?{urlencode({'iss': f'{sandbox}/sandbox/fhir', 'launch': handle})}"


def days_ago(days: float) -> str:
    """An instant as FHIR writes it."""
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")


def result(patient: str, kind: str, value: float | None, days: float, **members: Any) -> Resource:
    """An Observation (`kind`: wbc, plt, hb); without a value it holds a text that nobody can read as one."""
    code, unit = _CODES[kind]
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": days_ago(days),
        **({"valueString": "see report"} if value is None else {"valueQuantity": quantity}),
        **members,
    }


def medication(patient: str, name: str, days: float) -> Resource:
    """An active MedicationRequest for a drug that lowers counts (clozapine), under a name of the chart's own."""
    coding = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "2626", "display": "clozapine"}
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [coding], "text": name},
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": days_ago(days)[:10],
        "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": days_ago(days)[:10]}}}}],
    }


def put_chart(sandbox: str, patient: str, resources: Sequence[Resource]) -> None:
    """Put a synthetic patient with these resources on the sandbox's FHIR server; what was there before goes."""
    person = {"resourceType": "Patient", "id": patient, "birthDate": "1970-01-01"}
    person["name"] = [{"text": f"{patient.title()} Synthetic"}]  # type: ignore[assignment]
    named = [person, *({"id": f"{patient}-{number}"} | one for number, one in enumerate(resources))]
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}} for one in named
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = post_json(f"{sandbox}/sandbox/fhir", bundle)
    assert answer.status == 200, answer.document
