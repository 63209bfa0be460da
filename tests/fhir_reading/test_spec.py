"""The sentences of tests/spec/reading_results.yaml: what is sent, and what becomes of it, in every release."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.fhir_reading.releases import Release
from tests.builders.fhir import CBC_PANEL, PLT, WBC, observation, outcome, quantity, read
from tests.builders.releases import as_release

SENTENCES = yaml.safe_load((Path(__file__).parents[1] / "spec" / "reading_results.yaml").read_text(encoding="utf-8"))
TESTS = {"wbc": WBC, "wbc-unspecified": "26464-8", "plt": PLT, "cbc-panel": CBC_PANEL, "mpv": "32623-1"}


def sent(note: dict[str, Any], number: int) -> dict[str, Any]:
    amount = note.get("value", "2.9")
    unit, code, comparator = note.get("unit", "10*3/uL"), note.get("code"), note.get("comparator")
    value = None if amount is None else quantity(Decimal(str(amount)), unit, code, comparator)
    built = observation(TESTS[note.get("test", "wbc")], value, id=f"o{number}") | note.get("with", {})
    return {name: part for name, part in built.items() if part is not None}


@pytest.mark.parametrize("release", Release)
@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence["say"])
def test_sentence(sentence: dict[str, Any], release: Release) -> None:
    accepted = frozenset(sentence["accepted"]) if "accepted" in sentence else None
    resources = [as_release(sent(note, number), release) for number, note in enumerate(sentence["send"])]
    assert outcome(read(*resources, accepted=accepted)) == sentence["expect"]
