"""A URL is read in one strict form, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.outbound.urls import HttpUrl


@pytest.mark.parametrize(
    ("text", "on_the_wire"),
    [
        ("https://EHR.Example.org/fhir", "https://ehr.example.org/fhir"),
        ("HTTPS://ehr.example.org:443/fhir/", "https://ehr.example.org/fhir/"),
        ("http://127.0.0.1:8080/a/b?x=1&y=2", "http://127.0.0.1:8080/a/b?x=1&y=2"),
        ("http://[::1]:8080/fhir", "http://[::1]:8080/fhir"),
        ("https://ehr.example.org", "https://ehr.example.org"),
        ("https://ehr.example.org/fhir?code=http://loinc.org|777-3", "https://ehr.example.org/fhir?code=http://loinc.org%7C777-3"),
        ("https://ehr.example.org/fhir?code=a%7Cb", "https://ehr.example.org/fhir?code=a%7Cb"),
        ("https://ehr.example.org/fhir?name=Ü", "https://ehr.example.org/fhir?name=%C3%9C"),
    ],
)  # fmt: skip
def test_what_is_clear_is_read(text: str, on_the_wire: str) -> None:
    assert str(HttpUrl.parse(text)) == on_the_wire


@pytest.mark.parametrize(
    "text",
    [
        "", "fhir", "/fhir", "ftp://h/fhir", "file:///etc/passwd", "gopher://h/x", "//h/fhir", "https:///fhir",
        "https://user@h/fhir", "https://user:pw@h/fhir", "https://h/fhir#part", "https://h\\@evil/fhir",
        "https://h/fhir\\..", "https://h /fhir", "https://h/fh ir", "https://h/fhir\n", "https://h\t/fhir",
        "https://h/../fhir", "https://h/fhir/./x", "https://h/fhir//x", "https://h/%2e%2e/x", "https://h/a%2Fb",
        "https://h/a%5Cb", "https://h/%252e%252e/x", "https://h/a%00b", "https://h:0/fhir", "https://h:99999/fhir",
        "https://h:x/fhir", "https://ümlaut.example/fhir", "https://h|x/fhir", "https://[::1%25eth0]/fhir",
        "https://[nonsense]/fhir", "https://h..x/fhir", "https://-/\u202efhir",
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refused:
        HttpUrl.parse(text)
    assert len(text) < 6 or text not in str(refused.value)


@given(st.text(max_size=60) | st.from_regex(r"https?://[a-z@:\[\]\\./%0-9?#|]{1,40}", fullmatch=True))
def test_reading_is_stable_and_fails_in_one_way(text: str) -> None:
    try:
        url = HttpUrl.parse(text)
    except ValueError:
        return
    assert HttpUrl.parse(str(url)) == url
    assert url.contains(url)


def test_loopback_is_told_by_name_alone() -> None:
    assert HttpUrl.parse("http://localhost:1/x").is_loopback
    assert HttpUrl.parse("http://127.1.2.3/x").is_loopback
    assert HttpUrl.parse("http://[::1]/x").is_loopback
    assert not HttpUrl.parse("http://localhost.example.org/x").is_loopback
