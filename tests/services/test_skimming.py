"""What is left undecoded changes no answer: each call is answered as if all of it had been decoded and read.

The plain way, which decodes everything at once and reads each part wherever it is met, lives here as the reference.
"""

import inspect
import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.payload import PATIENT_ID, call_with, history
from cds_service.cds_hooks.clients import ANYONE
from cds_service.cds_hooks.errors import DataNotAvailable, RequestInvalid
from cds_service.cds_hooks.invocation import parse_request
from cds_service.cds_hooks.response_json import encode_response
from cds_service.cds_hooks.strict_json import decode_call, decode_object
from cds_service.composition.review import cytopenia_review
from cds_service.fhir_reading.alike import Glance
from cds_service.fhir_reading.entries import Entry, unpack
from cds_service.fhir_reading.reading import read_clinical_picture
from cds_service.fhir_reading.release_marks import ONLY_IN
from cds_service.services import cytopenia_review as cytopenia_review_module
from cds_service.settings import Settings
from cds_service.site_knowledge import load_site_knowledge
from tests.builders import chart
from tests.builders.fhir import real_data
from tests.fuzz.effort import EFFORT
from tests.fuzz.fixture_requests import fixture_requests
from tests.fuzz.structural_mutations import mutated

SETTINGS = Settings(auth="off", pseudonym_key="a key of the tests, thirty-two bytes long")
REVIEW = cytopenia_review(SETTINGS, load_site_knowledge(SETTINGS))
CALLS = st.sampled_from(sorted(fixture_requests())).map(fixture_requests().__getitem__)
REAL = sorted(real_data().rglob("*.json")) if real_data().is_dir() else []
USELESS = history(20, chart.AS_OF)


def answer(body: bytes, *, plainly: bool) -> object:
    """What the call is answered, and what the log is told of it; or the words of its refusal."""
    read = inspect.unwrap(read_clinical_picture) if plainly else read_clinical_picture
    try:
        request = parse_request(body, "patient-view")
        if plainly:
            request = replace(request, prefetch=decode_object(body).get("prefetch") or {})  # type: ignore[arg-type]
        with patch.object(cytopenia_review_module, "read_clinical_picture", read):
            response, facts = REVIEW.answer(request, ANYONE, chart.AS_OF)
    except (DataNotAvailable, RequestInvalid) as refusal:
        return str(refusal)
    return encode_response(response), facts


def assert_answered_alike(call: Any) -> None:
    body = json.dumps(call).encode()
    assert answer(body, plainly=False) == answer(body, plainly=True)


def left_out(bundle: Any, patient: str = PATIENT_ID) -> int:
    """How many entries of a Bundle are not even decoded."""
    body = json.dumps({"prefetch": {"counts": bundle}}).encode()
    sent: Any = parse_prefetch(body)
    skimmed = REVIEW.skimmer.skim(sent, patient)
    entries = unpack(skimmed.documents["counts"]).entries
    return len(bundle["entry"]) - len(entries) - len(skimmed.versions_of(entries))


def parse_prefetch(body: bytes) -> Any:
    """Prefetch as it was sent."""
    return decode_call(body)["prefetch"]


@pytest.mark.parametrize("name", sorted(fixture_requests()))
def test_a_fixture_is_answered_alike(name: str) -> None:
    assert_answered_alike(fixture_requests()[name])


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_real_data_are_answered_alike(path: Path) -> None:
    resource = json.loads(path.read_text(encoding="utf-8"))
    entries = resource.get("entry") or [{"resource": resource}]
    named = [one["resource"].get("subject", {}).get("reference", "") for one in entries]
    patient = next((name.rpartition("/")[2] for name in named if name.startswith("Patient/")), "synthetic")
    call = json.loads(call_with([]))
    call["context"]["patientId"] = call["prefetch"]["patient"]["id"] = patient
    for kind in ("searchset", "collection"):
        call["prefetch"]["counts"] = {"resourceType": "Bundle", "type": kind, "entry": entries}
        assert_answered_alike(call)


@settings(max_examples=300 * EFFORT, derandomize=EFFORT == 1, deadline=None, suppress_health_check=list(HealthCheck))
@given(CALLS, st.integers(0, 6), st.randoms(use_true_random=False))
def test_a_bent_call_among_results_of_no_use_is_answered_alike(call: Any, useless: int, random: Random) -> None:
    patient = call["context"]["patientId"]
    counts = call.get("prefetch", {}).get("counts")
    if isinstance(counts, dict) and isinstance(counts.get("entry"), list):
        more = [{"resource": one | {"subject": {"reference": f"Patient/{patient}"}}} for one in USELESS[:useless]]
        counts = counts | {"entry": random.sample(more + counts["entry"], len(more) + len(counts["entry"]))}
        call = call | {"prefetch": call["prefetch"] | {"counts": mutated(counts, random)}}
    assert_answered_alike(mutated(call, random))


def glucose(**changes: Any) -> dict[str, Any]:
    """An Observation of the patient that no rule reads."""
    made = next(one for one in USELESS if one["code"]["coding"][0]["code"] == "2345-7")
    return made | {"subject": {"reference": f"Patient/{PATIENT_ID}"}} | changes


LOINC, WBC = "http://loinc.org", "6690-2"
OTHER_VERSION = {"id": "same", "meta": {"lastUpdated": "2026-01-15T00:00:00Z", "versionId": "9"}}
"""Later than any of `history`."""


@pytest.mark.parametrize(
    "changes",
    [
        {"code": {"coding": [{"system": LOINC, "code": WBC}]}},
        {"code": {"coding": [{"system": LOINC, "code": "2345-7"}, {"system": f" {LOINC}", "code": f"{WBC} "}]}},
        {"code": {"coding": {"system": LOINC, "code": WBC}}},
        {"code": {"coding": [None, {"system": LOINC, "code": WBC}]}},
        {"component": [{"code": {"coding": [{"system": LOINC, "code": WBC}]}}]},
        {"component": {"code": {"coding": [{"system": LOINC, "code": WBC}]}}},
        {"contained": [{"resourceType": "Observation", "code": {"coding": [{"system": LOINC, "code": WBC}]}}]},
        {"subject": {"reference": "Patient/another"}},
        {"subject": None, "patient": {"reference": "Patient/another"}},
        {"subject": {"reference": ["Patient/another"]}},
        {"context": {"reference": "Encounter/1"}},
        {"resourceType": "DiagnosticReport"},
    ],
    ids=str,
)
def test_what_may_matter_is_decoded(changes: dict[str, Any]) -> None:
    bundle = {"resourceType": "Bundle", "type": "searchset"}
    useless = {"resource": glucose(id="first")}
    assert left_out(bundle | {"entry": [useless, {"resource": glucose(id="second")}]}) == 1
    assert left_out(bundle | {"entry": [useless, {"resource": glucose(**changes)}]}) == 0


def test_a_code_written_in_escapes_is_the_code() -> None:
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": glucose(id="first")}]}
    body = json.dumps({"prefetch": {"counts": bundle | {"entry": [*bundle["entry"], {"resource": glucose()}]}}})
    spelled = body.replace('"2345-7"', '"\\u0036690-2"')
    documents = REVIEW.skimmer.skim(parse_prefetch(spelled.encode()), PATIENT_ID).documents
    assert len(documents["counts"]["entry"]) == 2  # type: ignore[index]


def test_another_version_of_a_result_that_is_read_is_read_too() -> None:
    """The later version says that it was no leukocyte count: the earlier one must not count."""
    count = history(1, chart.AS_OF)[0] | {"id": "same"}
    entries = [{"resource": one} for one in (glucose(id="first"), glucose(**OTHER_VERSION), count)]
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    assert left_out(bundle) == 0
    call = json.loads(call_with([]))
    assert_answered_alike(call | {"prefetch": call["prefetch"] | {"counts": bundle}})
    halves = {"counts": bundle | {"entry": [entries[2]]}, "companions": bundle | {"entry": entries[:2]}}
    assert_answered_alike(call | {"prefetch": call["prefetch"] | halves})
    halves["counts"]["type"] = "document"  # such a Bundle is decoded without a look at what it holds
    assert_answered_alike(call | {"prefetch": call["prefetch"] | halves})


def test_another_version_of_what_a_server_gave_is_read_too() -> None:
    entries = [{"resource": one} for one in (glucose(id="first"), glucose(**OTHER_VERSION))]
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    skimmed = REVIEW.skimmer.skim(parse_prefetch(json.dumps({"prefetch": {"counts": bundle}}).encode()), PATIENT_ID)
    given = [Entry(history(1, chart.AS_OF)[0] | {"id": name}) for name in ("same", "another")]
    assert [one.resource["meta"] for one in skimmed.versions_of(given)] == [OTHER_VERSION["meta"]]


def test_every_mark_of_a_release_keeps_an_observation() -> None:
    assert set(ONLY_IN["Observation"]).isdisjoint(Glance.__struct_fields__)


def test_what_nobody_reads_is_sound_json_all_the_same() -> None:
    body = call_with([glucose(id=str(number)) for number in range(3)])
    assert "not valid JSON" in str(answer(body.replace(b'"final"', b"NaN"), plainly=False))
    assert "not valid JSON" in str(answer(body.replace(b'"final"', b"final"), plainly=False))
