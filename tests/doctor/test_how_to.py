"""docs/how-to/connect-an-ehr.md tells of the searches, scopes, settings and options that there are."""

import re
from pathlib import Path

import pytest

from cds_service.doctor.commands import doctor_command
from cds_service.fhir_reading.server import resource_type_of
from cds_service.services.prefetch_templates import prefetch_templates
from cds_service.settings import Settings
from tests.builders.knowledge import shipped_knowledge

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "connect-an-ehr.md").read_text(encoding="utf-8")
TEMPLATES = prefetch_templates(shipped_knowledge())


@pytest.mark.parametrize(
    ("spelling", "pattern"), [("SMART 1", r"patient/(\w+)\.read"), ("SMART 2", r"patient/(\w+)\.rs")]
)
def test_the_scopes_are_those_of_the_searches(spelling: str, pattern: str) -> None:
    told = PAGE.partition(f"\n{spelling}")[2].partition("```\n")[2].partition("```")[0]
    assert sorted(re.findall(pattern, told)) == sorted({resource_type_of(query) for query in TEMPLATES.values()})


@pytest.mark.parametrize("key", sorted(TEMPLATES))
def test_the_queries_are_those_advertised(key: str) -> None:
    told = next(line for line in PAGE.splitlines() if line.strip().startswith(f"| `{key}`"))
    shortened = re.sub(r"code=[^&]+", "code=", TEMPLATES[key])
    assert re.sub(r"`\*[^*]*\*`", "", told).split("`")[3] == shortened


def test_the_settings_and_options_exist() -> None:
    assert set(re.findall(r"`(CDS_\w+?)`", PAGE)) <= {f"CDS_{name.upper()}" for name in Settings.model_fields}
    options = {option for parameter in doctor_command.params for option in parameter.opts}
    section = PAGE.partition("## 2.")[2].partition("## 3.")[0]
    assert set(re.findall(r"--[a-z-]+", section)) <= options
