"""Only what is listed is called: compared in parts after parsing, never as text."""

import pytest

from cds_service.outbound.allowed_servers import AllowedServers

LISTED = ["https://ehr.example.org/fhir/R4", "http://127.0.0.1:*/sandbox/fhir", "https://two.example.org:8443/r4/"]


@pytest.mark.parametrize(
    "base",
    [
        "https://ehr.example.org/fhir/R4",
        "https://ehr.example.org/fhir/R4/",
        "https://EHR.example.org:443/fhir/R4",
        "https://ehr.example.org/fhir/R4/tenant-a",
        "http://127.0.0.1:8000/sandbox/fhir",
        "http://127.0.0.1:41234/sandbox/fhir",
        "https://two.example.org:8443/r4",
    ],
)
def test_listed(base: str) -> None:
    assert AllowedServers.parse(LISTED).find(base) is not None


@pytest.mark.parametrize(
    "base",
    [
        "http://ehr.example.org/fhir/R4",
        "https://ehr.example.org.evil.test/fhir/R4",
        "https://ehr.example.org@evil.test/fhir/R4",
        "https://evil.test/https://ehr.example.org/fhir/R4",
        "https://ehr.example.org:8443/fhir/R4",
        "https://ehr.example.org/fhir/R4x",
        "https://ehr.example.org/fhir",
        "https://ehr.example.org/fhir/r4",
        "https://ehr.example.org/fhir/R4/../admin",
        "https://ehr.example.org/fhir/R4/%2e%2e/admin",
        "https://ehr.example.org/fhir/R4?x=1",
        "https://ehr.example.org/fhir/R4#x",
        "https://sub.ehr.example.org/fhir/R4",
        "https://127.0.0.1:8000/sandbox/fhir",
        "http://127.0.0.2:8000/sandbox/fhir",
        "http://2130706433:8000/sandbox/fhir",
        "http://localhost:8000/sandbox/fhir",
        "https://two.example.org/r4",
        "file:///fhir/R4",
        "",
        "fhir",
    ],
)
def test_not_listed(base: str) -> None:
    assert AllowedServers.parse(LISTED).find(base) is None


def test_an_empty_list_allows_nothing() -> None:
    assert AllowedServers.parse([]).find("https://ehr.example.org/fhir/R4") is None


def test_plain_http_to_a_server_listed_as_https_only_where_a_test_setup_says_so() -> None:
    relaxed = AllowedServers.parse(LISTED, allow_http=True)
    assert relaxed.find("http://ehr.example.org/fhir/R4") is not None
    assert relaxed.find("http://ehr.example.org:8080/fhir/R4") is None
    assert relaxed.find("http://evil.test/fhir/R4") is None


@pytest.mark.parametrize("entry", ["ehr.example.org/fhir", "https://*/fhir", "https://h/fhir?x=1", "https://h:*x/fhir"])
def test_an_entry_that_can_not_be_meant_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="can't be a listed server") as refused:
        AllowedServers.parse([entry])
    assert entry in str(refused.value)
