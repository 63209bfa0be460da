"""Statements about reads and searches: what is asked for is found, and nothing else."""

import json

from cds_service.fhir_reading.server import fill_template
from cds_service.services.prefetch_templates import COUNTS, prefetch_templates
from tests.builders.knowledge import shipped_knowledge
from tests.contract.fhir_server.fhir_under_test import FhirUnderTest, coded_ids, day_of, loaded, loaded_ids
from tests.contract.fhir_server.statement import needed, tolerated

MANY = "helga-daemi"
"""A patient with many results."""
PANELS = "verena-musterfrau"
"""A patient whose counts are components of panels."""
RESOLVED = "mateo-ejemplo"
"""A patient with active and resolved conditions."""
TREATED = "ravi-namuna"
"""A patient with a prescription."""
DECIMALS = "ines-amostra"
"""A patient with results written as 3.0."""
WBC, PLT = "http://loinc.org|6690-2", "http://loinc.org|777-3"


def advertised(key: str, patient: str) -> str:
    """The search that the service advertises under a prefetch key, as it is sent."""
    return fill_template(prefetch_templates(shipped_knowledge())[key], {"context.patientId": patient})


@needed("A Patient is read by its id.", "the card says that the patient's details were not available.")
def read_patient(server: FhirUnderTest) -> None:
    answer = server.get(f"Patient/{MANY}")
    assert (answer.status, answer.document["resourceType"], answer.document["id"]) == (200, "Patient", MANY)


@needed(
    "A read of a patient who isn't there is refused with 404 or 410.",
    "without counts the call is refused all the same: an unknown patient isn't told from one without results.",
)
def read_unknown_patient(server: FhirUnderTest) -> None:
    answer = server.get("Patient/there-is-no-such-patient")
    assert answer.status in (404, 410)
    assert answer.refused


@needed("Answers are FHIR's JSON, and say so.", "the answer counts as unreadable: 412, or the data are not available.")
def media_type(server: FhirUnderTest) -> None:
    for query in (f"Patient/{MANY}", f"Observation?patient={MANY}&code={WBC}"):
        assert server.get(query).media_type in ("application/fhir+json", "application/json", "application/json+fhir")


@needed("A body is not compressed unless that was asked for.", "the answer is not taken: 412, or not available.")
def not_compressed(server: FhirUnderTest) -> None:
    assert server.get(f"Observation?patient={MANY}").encoding in ("", "identity")


@needed(
    "A search by a list of codes finds that patient's results with one of the codes, and no others.",
    "a refused list is left out and the answer sifted by code; a misread one is noticed when counts come back empty.",
)
def code_list(server: FhirUnderTest) -> None:
    expected = coded_ids(MANY, WBC, PLT)
    assert len(expected) > 4
    assert server.found(f"Observation?patient={MANY}&code={WBC},{PLT}&_count=500") == expected


@needed(
    "The search for counts, just as the service advertises it, finds every count of the patient.",
    "without it there is no answer: 412.",
)
def advertised_counts(server: FhirUnderTest) -> None:
    for patient in (MANY, PANELS):
        found = server.found(advertised(COUNTS, patient))
        wanted = coded_ids(patient, WBC, PLT) or coded_ids(patient, WBC, within="component")
        assert wanted <= found <= loaded_ids(patient, "Observation")


@needed(
    "A percent-encoded system and code (%7C, %2C, %3A, %2F) are the same as plain ones.",
    "no plain form is tried: the search counts as failed or finds nothing.",
)
def percent_encoded(server: FhirUnderTest) -> None:
    encoded = f"{WBC},{PLT}".replace(":", "%3A").replace("/", "%2F").replace("|", "%7C").replace(",", "%2C")
    assert server.found(f"Observation?patient={MANY}&code={encoded}&_count=500") == coded_ids(MANY, WBC, PLT)


@tolerated("The same code in another system is not found.", "the reader looks at system and code itself.")
def other_system(server: FhirUnderTest) -> None:
    assert server.found(f"Observation?patient={MANY}&code=http://snomed.info/sct|6690-2") == set()


@tolerated("`patient` takes a reference as well as an id.", "the service asks by id only.")
def patient_as_reference(server: FhirUnderTest) -> None:
    assert server.found(f"Observation?patient=Patient/{MANY}&code={WBC}&_count=500") == coded_ids(MANY, WBC)


@needed(
    "A patient without such results gives an empty searchset, not an error.",
    "the search counts as failed: 412, never 'no results'.",
)
def nothing_found(server: FhirUnderTest) -> None:
    answer = server.get(f"Observation?patient={MANY}&code=http://loinc.org|0000-0")
    assert answer.ids == set()


@tolerated(
    "A search sent as a form (POST _search) finds the same.",
    "it is only used where the URL would be longer than 4000 characters; the shipped codes need less.",
)
def post_search(server: FhirUnderTest) -> None:
    query = f"Observation?patient={MANY}&code={WBC},{PLT}&_count=500"
    assert server.post_search(query).ids == coded_ids(MANY, WBC, PLT)


@tolerated(
    "`component-code` finds the panels that hold the count as a component.",
    "it is only asked where the CapabilityStatement offers it; else panels are found by their own codes alone.",
)
def component_code(server: FhirUnderTest) -> None:
    expected = coded_ids(PANELS, WBC, within="component")
    assert expected
    assert server.found(f"Observation?patient={PANELS}&component-code={WBC},{PLT}&_count=500") == expected
    assert server.found(f"Observation?patient={MANY}&component-code={WBC},{PLT}&_count=500") == set()


@tolerated("`combo-code` finds a count as a result of its own and as a component.", "as for `component-code`.")
def combo_code(server: FhirUnderTest) -> None:
    assert server.found(f"Observation?patient={MANY}&combo-code={WBC}&_count=500") == coded_ids(MANY, WBC)
    panels = coded_ids(PANELS, WBC, within="component")
    assert server.found(f"Observation?patient={PANELS}&combo-code={WBC}&_count=500") == panels


@tolerated("`code` does not look into components.", "what is found twice is used once.")
def code_leaves_components_out(server: FhirUnderTest) -> None:
    assert server.found(f"Observation?patient={PANELS}&code={WBC}&_count=500") == coded_ids(PANELS, WBC) == set()


@tolerated("`date=ge` finds the results of that day and later.", "the advertised searches have no date.")
def since_a_day(server: FhirUnderTest) -> None:
    dated = sorted(
        (entry["resource"] for page in server.pages(f"Observation?patient={MANY}&code={WBC}&_count=500")
         for entry in page.entries),
        key=day_of,
    )  # fmt: skip
    middle = day_of(dated[len(dated) // 2])
    expected = {resource["id"] for resource in dated if day_of(resource) >= middle}
    assert 0 < len(expected) < len(dated)
    assert server.found(f"Observation?patient={MANY}&code={WBC}&date=ge{middle}&_count=500") == expected


@needed(
    "A patient's conditions are found whatever their status.",
    "a condition that isn't found supports no cause; one that is over is set aside by the reader.",
)
def conditions(server: FhirUnderTest) -> None:
    assert server.found(f"Condition?patient={RESOLVED}&_count=500") == loaded_ids(RESOLVED, "Condition")


@tolerated("`clinical-status` narrows conditions down.", "it is not asked for: the reader judges the status itself.")
def clinical_status(server: FhirUnderTest) -> None:
    active = {
        resource["id"]
        for resource in loaded(RESOLVED)
        if resource["resourceType"] == "Condition" and resource["clinicalStatus"]["coding"][0]["code"] == "active"
    }
    assert 0 < len(active) < len(loaded_ids(RESOLVED, "Condition"))
    assert server.found(f"Condition?patient={RESOLVED}&clinical-status=active&_count=500") == active


@needed(
    "A patient's prescriptions are found, sorted by `authoredon`.", "refused, they are asked for without the order."
)
def prescriptions(server: FhirUnderTest) -> None:
    query = f"MedicationRequest?patient={TREATED}&_sort=-authoredon&_count=200"
    assert server.found(query) == loaded_ids(TREATED, "MedicationRequest") != set()


@tolerated("A number comes back as it was written (3.0 is not 3).", "it is judged the same, and shown as it came.")
def decimals(server: FhirUnderTest) -> None:
    values = [
        json.dumps(resource["valueQuantity"]["value"])
        for resource in loaded(DECIMALS)
        if "valueQuantity" in resource and str(resource["valueQuantity"]["value"]).endswith(".0")
    ]
    text = server.get(f"Observation?patient={DECIMALS}&_count=500").text.replace(" ", "")
    assert values
    assert all(f'"value":{value}' in text for value in values)
