"""Real and realistic FHIR data by others: for each file what is used, what is set aside and why, in every release.

R4 files are also said in the other releases, and read as the same; and R4B models read R4 data.
"""

import collections

import pytest

from cds_service.fhir_reading.conditions import CONDITION
from cds_service.fhir_reading.entries import Entry
from cds_service.fhir_reading.observations import OBSERVATION
from cds_service.fhir_reading.patients import PATIENT as PATIENT_SHAPE
from cds_service.fhir_reading.reading import read_clinical_picture
from cds_service.fhir_reading.releases import Release, validated
from cds_service.hematology.clinical_picture import ClinicalPicture
from tests.builders.fhir import AS_OF, entries_of_file, real_data
from tests.builders.knowledge import shipped_knowledge
from tests.builders.releases import OTHERS, as_release

DATA = real_data()
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="public FHIR data are not beside the project")

# Patient, and what becomes of the counts. The specification's own reports give no collection time to their results;
# documents whose subject is a urn:uuid need the Patient beside them, with its id.
NO_TIME = {"date-missing": 3}
EXPECTED: dict[str, tuple[str, dict[str, int]]] = {
    "au-test-data/Bundle-aups-referral-endoconsult-autogen.json": ("unknown", {"subject-not-resolvable": 2}),
    "hl7-us-core/observation-cbc-leukocytes.json": ("example", {"used": 1}),
    "hl7-us-core/observation-cbc-platelets.json": ("example", {"used": 1}),
    "npm-ch.fhir.ig.ch-lab-report-2.0.0/Bundle-LabResultReport-1-tvt.json": ("", {"used": 2}),
    "npm-ch.fhir.ig.ch-lab-report-2.0.0/Observation-ExampleObservationPlateletCount.json": (
        "unknown",
        {"subject-not-resolvable": 1},
    ),
    "npm-ch.fhir.ig.ch-lab-report-2.0.0/Observation-ExampleObservationWBC.json": (
        "unknown",
        {"subject-not-resolvable": 1},
    ),
    "npm-ch.fhir.ig.ch-lab-report-2.0.0/Observation-Result-CBC.json": ("unknown", {"subject-not-resolvable": 2}),
    "npm-hl7.fhir.r3.examples-3.0.2/DiagnosticReport-101.json": ("pat2", NO_TIME),
    "npm-hl7.fhir.r3.examples-3.0.2/DiagnosticReport-ghp.json": ("pat2", NO_TIME),
    "npm-hl7.fhir.r3.examples-3.0.2/DiagnosticReport-report.json": ("genetics-example1", {"not-blood": 2}),
    "npm-hl7.fhir.r4.examples-4.0.1/Bundle-101.json": ("pat2", NO_TIME),
    "npm-hl7.fhir.r4.examples-4.0.1/Bundle-ghp.json": ("pat2", NO_TIME),
    "npm-hl7.fhir.r4.examples-4.0.1/Bundle-report.json": ("genetics-example1", {"subject-missing": 2}),
    "npm-hl7.fhir.r5.examples-5.0.0/Bundle-101.json": ("pat2", NO_TIME),
    "npm-hl7.fhir.r5.examples-5.0.0/Bundle-ghp.json": ("pat2", NO_TIME),
    "synthea-smart-r4/Agustín_Fonseca_cb5696d9-a0de-4f49-94f9-433f96a28eb0.json": ("", {"used": 2}),
    "synthea-smart-r4/Alberto_Atencio_fc712d1f-5a2e-4407-9c55-a2a2bad623c2.json": ("", {"used": 2}),
    "synthea-smart-r4/Amiee_Buckridge_cfda32ac-8382-4a7c-92a2-1b072b2a70de.json": ("", {"used": 4}),
    "synthea-smart-r4/Angele_Greenfelder_3c9e65ef-e65e-46e7-b69a-60a3457307f0.json": ("", {"used": 4}),
    "synthea-smart-r4/Bryan_Breitenberg_8edf097f-56d9-4587-aea3-20c023d0c353.json": ("", {"used": 2}),
    "synthea-smart-r4/Chet_Thompson_eda17701-070d-4fae-9f7d-c8cd6263b63a.json": ("", {"used": 4}),
    "synthea-smart-r4/Darin_Skiles_31c343e9-5d7f-444e-9be4-56b1a6ec6146.json": ("", {"used": 4}),
    "synthea-smart-r4/Deedra_Lockman_3a47758f-19ec-49cc-b7fc-90150887cfad.json": ("", {"used": 4}),
    "synthea-smart-r4/Erick_Auer_84b1062d-2455-4238-ad4f-36a1cc6baaca.json": ("", {"used": 4}),
    "synthea-smart-r4/Fabian_Yundt_59f1d794-9f92-4be4-852a-cba59449396d.json": ("", {"used": 4}),
}
RELEASES = {"npm-hl7.fhir.r3": Release.STU3, "npm-hl7.fhir.r5": Release.R5}
"""The releases of the folders' files; R4 everywhere else."""
R4_FOLDERS = ("au-test-data", "hl7-us-core", "npm-ch.", "npm-hl7.fhir.r4", "synthea")
SHAPES = {shape.resource_type: shape for shape in (OBSERVATION, CONDITION, PATIENT_SHAPE)}


def test_every_file_is_accounted_for() -> None:
    assert {path.relative_to(DATA).as_posix() for path in DATA.rglob("*.json")} == set(EXPECTED)


def read_file(name: str, as_if: Release = Release.R4, site: Release | None = None) -> ClinicalPicture:
    """What a file says of its patient; `as_if` has an R4 file said in another release first."""
    entries = [Entry(as_release(entry.resource, as_if), entry.full_url) for entry in entries_of_file(DATA / name)]
    patients = (str(entry.resource["id"]) for entry in entries if entry.resource["resourceType"] == "Patient")
    patient_id = EXPECTED[name][0] or next(patients)
    return read_clinical_picture(entries, patient_id, None, AS_OF, shipped_knowledge(), release=site)


def becomes(picture: ClinicalPicture) -> dict[str, int]:
    """How many counts are used, and how many set aside for each reason."""
    reasons = collections.Counter(str(one.reason) for one in picture.set_aside)
    return dict(reasons) | ({"used": len(picture.counts)} if picture.counts else {})


@pytest.mark.parametrize("name", EXPECTED)
def test_how_many_results_are_used_and_why_the_others_are_not(name: str) -> None:
    picture = read_file(name)
    assert becomes(picture) == EXPECTED[name][1]
    assert not any(one.unreadable for one in picture.set_aside)
    assert picture.other_patients == 0
    assert picture.unmapped_conditions == picture.unmapped_medications == 0


def test_what_becomes_of_the_counts_of_each_release() -> None:
    found: dict[str, collections.Counter[str]] = {str(release): collections.Counter() for release in Release}
    for name in EXPECTED:
        release = next((release for folder, release in RELEASES.items() if name.startswith(folder)), Release.R4)
        found[release].update(becomes(read_file(name)))
    assert found == {
        "STU3": {"date-missing": 6, "not-blood": 2},
        "R4": {"used": 38, "date-missing": 6, "subject-not-resolvable": 6, "subject-missing": 2},
        "R4B": {},
        "R5": {"date-missing": 6},
    }


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("site", Release)
def test_the_sites_setting_changes_nothing_of_these(name: str, site: Release) -> None:
    assert read_file(name, site=site) == read_file(name)


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith(R4_FOLDERS)])
@pytest.mark.parametrize("release", OTHERS)
def test_an_r4_file_said_in_another_release_is_read_as_the_same(name: str, release: Release) -> None:
    assert read_file(name, as_if=release) == read_file(name)


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith(R4_FOLDERS)])
def test_r4b_models_read_r4_data(name: str) -> None:
    resources = [entry.resource for entry in entries_of_file(DATA / name)]
    read = [resource for resource in resources if resource["resourceType"] in SHAPES]
    assert read
    for resource in read:
        assert validated(resource, SHAPES[str(resource["resourceType"])]).faulty == frozenset()


def test_synthea_keeps_sixteen_digits() -> None:
    picture = read_file(next(name for name in EXPECTED if "Bryan" in name))
    assert [str(count.value) for count in picture.counts] == ["3.573522935974193", "265.1415104147285"]
