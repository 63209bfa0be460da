"""The models of a release: loaded when asked, one element at a time, a fault in one dropping that one."""

import subprocess
import sys

from cds_service.fhir_reading.projection import CONCEPT, DATE, QUANTITY, ResourceShape
from cds_service.fhir_reading.releases import load_models, validated

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


def test_the_models_are_imported_when_asked_and_not_before() -> None:
    load_models()
    script = (
        "import sys, cds_service.fhir_reading.reading as r, cds_service.fhir_reading.releases as releases\n"
        "assert not any(name.startswith('fhir.resources') for name in sys.modules)\n"
        "assert 'pint' not in sys.modules\n"
        "releases.load_models()\n"
        "assert 'fhir.resources.R4B.observation' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
