"""What holds of the two readers of what others send, whatever bytes they are given; `found/` holds what once broke."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

from cds_service.cds_hooks.errors import RequestInvalid
from cds_service.cds_hooks.strict_json import decode_object
from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.patients import PatientMismatch
from cds_service.fhir_reading.reading import read_clinical_picture
from cds_service.fhir_reading.releases import Release
from cds_service.hematology.assessment import assess
from tests.builders.fhir import AS_OF, PATIENT, observation
from tests.builders.knowledge import shipped_knowledge
from tests.fuzz.structural_mutations import MARK

FOUND = Path(__file__).with_name("found")
SERVER = "https://ehr.example.org/fhir"
BYSTANDER = observation(id="bystander", value="3.3")


def check_json(data: bytes) -> None:
    """Refused without an echo, or exactly what the standard library reads."""
    read: object
    try:
        read = decode_object(data)
    except RequestInvalid as refusal:
        read = refusal.message
    if isinstance(read, str):
        assert len(read) < 200
        assert MARK not in read
    else:
        assert read == json.loads(data, parse_float=Decimal)


def check_fhir(data: bytes) -> None:
    """Whatever the resources: a picture that can be judged, and the result of a bystander unspoiled."""
    try:
        decoded = decode_object(data)
    except RequestInvalid:
        return
    resources = decoded.get("entry")
    listed = [one for one in resources if isinstance(one, dict)] if isinstance(resources, list) else [decoded]
    release = {1: Release.STU3, 2: Release.R5}.get(len(data) % 8)
    try:
        picture = read_clinical_picture(
            [*map(Entry, listed), Entry(BYSTANDER)], PATIENT, SERVER, AS_OF, shipped_knowledge(), release=release
        )
    except PatientMismatch:
        return
    for count in picture.counts:
        assert count.value == 0 or Decimal("0.005") <= count.value <= 10_000
    spoiled = "bystander" not in data.decode(errors="replace")
    assert not spoiled or "Observation/bystander" in {count.reference for count in picture.counts}
    assess(picture, shipped_knowledge().guideline, AS_OF)


CHECKS: Mapping[str, Callable[[bytes], None]] = {"json": check_json, "fhir": check_fhir}
