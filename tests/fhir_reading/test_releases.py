"""The models of a release: loaded when asked, one element at a time, a fault in one dropping that one."""

import json
import subprocess
import sys

import pytest

from cds_service.fhir_reading import releases
from cds_service.fhir_reading.patients import PatientMismatch
from cds_service.fhir_reading.projection import CONCEPT, DATE, QUANTITY, ResourceShape
from cds_service.fhir_reading.releases import Release, validated
from tests.builders.fhir import concept, observation, patient, read, resource
from tests.builders.releases import as_release

STU3, R4, R4B, R5 = Release

SHAPE = ResourceShape(
    "Observation", {"status": None, "valueQuantity": QUANTITY, "interpretation": [CONCEPT], "effectiveDateTime": DATE}
)


def test_a_faulty_element_is_dropped_and_remembered_and_nothing_else() -> None:
    sent = {
        "status": "final",
        "valueQuantity": {"value": "many", "unit": "/uL"},
        "interpretation": {"coding": {"code": "L", "userSelected": "odd"}, "text": None},
        "effectiveDateTime": "2026-06-01T10:00",
        "subject": 5,
    }
    read = validated(sent, SHAPE)
    assert read.faulty == {"valueQuantity"}
    assert read.elements == {
        "status": "final",
        "interpretation": [{"coding": [{"code": "L"}]}],
        "effectiveDateTime": "2026-06-01T10:00",
    }
    assert read.has("valueQuantity")
    assert not read.has("subject")


SCRIPT = """
import json, sys
from tests.builders.fhir import read
assert not any(name.startswith("fhir.resources") for name in sys.modules), "loaded before they are needed"
assert "pint" not in sys.modules
read(*json.loads(sys.argv[1]))
loaded = {name for name in sys.modules if name.startswith("fhir.resources.")}
print(any("STU3" in name for name in loaded), "fhir.resources.medicationstatement" in loaded)
"""


@pytest.mark.parametrize(
    ("release", "loaded"), [(R4, "False False"), (R4B, "False False"), (STU3, "True False"), (R5, "False True")]
)
def test_a_releases_models_are_imported_when_such_a_resource_comes(release: Release, loaded: str) -> None:
    statement = resource("MedicationStatement", status="active", medicationCodeableConcept={"text": "methotrexate"})
    condition = resource("Condition", clinicalStatus=concept("active"), verificationStatus=concept("confirmed"))
    sent = json.dumps([as_release(one, release) for one in (statement, condition)])
    done = subprocess.run([sys.executable, "-c", SCRIPT, sent], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == loaded


def test_no_text_of_a_chart_is_kept_once_the_call_is_read() -> None:
    with pytest.raises(PatientMismatch):
        read(patient(id="another"), observation())
    assert read(observation()).counts
    assert releases._validates_spelled.cache_info().currsize == 0
