"""Statements about pages, order and the ways to say no: nothing is lost, nothing foreign, an error is an error."""

from tests.contract.fhir_server.fhir_under_test import FhirUnderTest, coded_ids, day_of, loaded_ids
from tests.contract.fhir_server.searching import MANY, PLT, WBC
from tests.contract.fhir_server.statement import needed, tolerated

IN_PAGES = f"Observation?patient={MANY}&code={WBC},{PLT}&_sort=-date&_count=3"


@tolerated("`_count` bounds a page.", "a larger page is read all the same, a smaller one followed by its next link.")
def count_bounds_a_page(server: FhirUnderTest) -> None:
    assert len(server.get(IN_PAGES).entries) == 3


@needed("A page of 500 may be asked for.", "refused, the search is made again without `_count`.")
def large_page(server: FhirUnderTest) -> None:
    assert server.get(f"Observation?patient={MANY}&_count=500").ids


@needed(
    "What doesn't fit on a page follows by next links, to the last result.",
    "a `total` beyond what came marks the data as incomplete; without it, what isn't on the first page is not seen.",
)
def next_links(server: FhirUnderTest) -> None:
    assert server.get(IN_PAGES).next_url
    assert server.found(IN_PAGES) == coded_ids(MANY, WBC, PLT)


@needed(
    "Next links stay within the base that was asked.",
    "they are not followed: the data count as incomplete, and the card says so.",
)
def next_links_within_the_base(server: FhirUnderTest) -> None:
    urls = [page.next_url for page in server.pages(IN_PAGES) if page.next_url]
    assert all(not url.startswith("http") or url.startswith((f"{server.base}/", f"{server.base}?")) for url in urls)


@tolerated("No result comes on two pages.", "repeats are dropped by id and version.")
def no_repeats(server: FhirUnderTest) -> None:
    found = [entry["resource"]["id"] for page in server.pages(IN_PAGES) for entry in page.entries]
    assert len(found) == len(set(found))


@tolerated("`_sort=-date` gives the newest first.", "the reader sorts by itself; no order is trusted.")
def newest_first(server: FhirUnderTest) -> None:
    entries = server.get(IN_PAGES.replace("_count=3", "_count=500")).entries
    days = [day_of(entry["resource"]) for entry in entries]
    assert days == sorted(days, reverse=True)
    assert len(set(days)) > 2


@tolerated(
    "`total`, where it is told, is the number of matches.",
    "one that is larger marks the data as incomplete, and the card says so.",
)
def total(server: FhirUnderTest) -> None:
    document = server.get(IN_PAGES).document
    assert document.get("total", len(coded_ids(MANY, WBC, PLT))) == len(coded_ids(MANY, WBC, PLT))


@tolerated("Each entry tells its fullUrl, below the base.", "references are read by resource type and id.")
def full_urls(server: FhirUnderTest) -> None:
    entries = server.get(f"Observation?patient={MANY}&code={WBC}").entries
    assert [entry.get("fullUrl") for entry in entries] == [
        f"{server.base}/Observation/{entry['resource']['id']}" for entry in entries
    ]


@needed(
    "A search is answered where it was asked, without a redirect.",
    "redirects are not followed: 412, or the data are not available.",
)
def no_redirect(server: FhirUnderTest) -> None:
    assert server.get(f"Observation?patient={MANY}").status == 200


@needed(
    "A resource type that the server doesn't have is refused, never answered with an empty searchset.",
    "a server without MedicationRequest would look like a patient without prescriptions.",
)
def unknown_type(server: FhirUnderTest) -> None:
    assert server.get("Frobnication?patient=x").refused


@needed(
    "A search parameter that the server doesn't know is ignored or refused; it never matches nothing.",
    "only parameters of FHIR R4 are asked for; those that few servers know, only where a server says it does.",
)
def unknown_parameter(server: FhirUnderTest) -> None:
    answer = server.get(f"Observation?patient={MANY}&frobnicate=1&_count=500")
    assert answer.refused or answer.ids == loaded_ids(MANY, "Observation")


@tolerated(
    "With `Prefer: handling=strict` an unknown search parameter is refused.", "the service doesn't ask for strictness."
)
def strict_handling(server: FhirUnderTest) -> None:
    assert server.get(f"Observation?patient={MANY}&frobnicate=1", Prefer="handling=strict").refused


@tolerated("A date that is none is refused.", "the advertised searches have no date.")
def malformed_date(server: FhirUnderTest) -> None:
    assert server.get(f"Observation?patient={MANY}&date=yesterday").refused


@tolerated(
    "The CapabilityStatement tells the release, and the search parameters of each type.",
    "the release is told by the resources' own shape; parameters that few servers know are not asked for.",
)
def capability_statement(server: FhirUnderTest) -> None:
    statement = server.get("metadata").document
    assert statement["resourceType"] == "CapabilityStatement"
    assert statement["fhirVersion"][:2] in ("3.", "4.", "5.")
    offered = {
        resource["type"]: {parameter["name"] for parameter in resource.get("searchParam", [])}
        for resource in statement["rest"][0]["resource"]
    }
    assert {"patient", "code"} <= offered["Observation"]
    assert {"Condition", "MedicationRequest", "Patient"} <= set(offered)
