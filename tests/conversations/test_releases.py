"""FHIR releases through the whole service: `CDS_FHIR_RELEASE` decides only what no resource's shape tells."""

from pathlib import Path
from typing import Any, Literal

import pytest

from cds_service.app import create_app
from cds_service.fhir_reading.releases import Release
from cds_service.settings import Settings
from tests.builders import chart
from tests.builders.releases import as_release

LOW: list[dict[str, Any]] = [{"wbc": 3.1, "days": 23}, {"wbc": 2.9, "days": 3}, {"plt": 88, "days": 3}]
CIRRHOSIS: dict[str, Any] = {"condition": "icd10cm K74.60", "days": 600}
METHOTREXATE: dict[str, Any] = {"medication": "rxnorm 6851", "days": 60}
Setting = Literal["auto", "STU3", "R4", "R4B", "R5"]


def groups(setting: Setting, release: Release, notes: list[dict[str, Any]], directory: Path) -> list[str]:
    """The cause groups that the service answers for a chart said in a release."""
    settings = Settings(auth="off", database_url=f"sqlite:///{directory}/feedback.sqlite3", fhir_release=setting)
    request = chart.call({key: as_release(part, release) for key, part in chart.prefetch([*LOW, *notes]).items()})
    with create_app(settings, clock=lambda: chart.AS_OF).test_client() as client:
        answer = client.post("/cds-services/cytopenia-review", json=request).get_json()
    found = answer["extension"]["org.cytopenia-cds.assessment"].get("causeGroups", [])
    return sorted(one["group"] for one in found)


@pytest.mark.parametrize("release", Release)
@pytest.mark.parametrize("setting", ["auto", *Release])
def test_what_the_shape_tells_is_read_whatever_is_set(setting: Setting, release: Release, tmp_path: Path) -> None:
    assert groups(setting, release, [CIRRHOSIS, METHOTREXATE], tmp_path) == ["drug", "splenic"]


WITHOUT_STATUS = CIRRHOSIS | {"with": {"clinicalStatus": None}}
UNKNOWN = CIRRHOSIS | {"with": {"clinicalStatus": {"coding": [{"code": "unknown"}]}}}


@pytest.mark.parametrize(
    ("setting", "release", "notes", "expected"),
    [
        ("auto", Release.R4, [WITHOUT_STATUS], ["splenic"]),
        ("auto", Release.STU3, [WITHOUT_STATUS], ["splenic"]),
        ("auto", Release.R5, [WITHOUT_STATUS], ["splenic"]),
        ("auto", Release.R5, [WITHOUT_STATUS, METHOTREXATE], ["drug", "splenic"]),
        ("R5", Release.R5, [WITHOUT_STATUS], ["splenic"]),
        ("auto", Release.R4, [UNKNOWN], []),
        ("R4", Release.R4, [UNKNOWN], []),
        ("R5", Release.R4, [UNKNOWN], ["splenic"]),
    ],
)
def test_r5_says_unknown_where_r4_says_nothing(
    setting: Setting, release: Release, notes: list[dict[str, Any]], expected: list[str], tmp_path: Path
) -> None:
    assert groups(setting, release, notes, tmp_path) == expected
