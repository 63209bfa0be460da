"""The call before the first one reaches as far as a card, so that nothing is left to be imported or compiled."""

import subprocess
import sys
from pathlib import Path

from cds_service.app import build_parts
from cds_service.services.cytopenia_review import CytopeniaReview
from cds_service.services.warm_up import warm_up
from cds_service.settings import Settings
from tests.builders import chart


def test_the_made_up_chart_makes_a_card(tmp_path: Path) -> None:
    (review,) = build_parts(Settings(auth="off", database_url=f"sqlite:///{tmp_path}/feedback.sqlite3")).services
    assert isinstance(review, CytopeniaReview)
    (card,) = warm_up(review, chart.AS_OF).cards
    assert card.summary


def test_the_first_call_loads_no_more_of_the_program_and_no_more_models(tmp_path: Path) -> None:
    program = f"""
import json, sys
from cds_service.app import build_parts, create_app
from cds_service.settings import Settings
from tests.builders.chart import AS_OF
from tests.builders.conversation import SERVICE, valid_call
settings = Settings(auth="off", database_url="sqlite:///{tmp_path}/feedback.sqlite3")
parts = build_parts(settings)
client = create_app(settings, lambda: AS_OF, parts, observers=()).test_client()
parts.warm_up()
before = set(sys.modules)
assert client.post(SERVICE, json=valid_call()).get_json()["cards"]
print([name for name in set(sys.modules) - before if name.startswith(("cds_service", "fhir."))])
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told == "[]\n"
