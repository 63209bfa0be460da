"""Test codes: what is a count, a panel, a companion, and what never is a count."""

import pytest

from cds_service.hematology.lab_results import Analyte, CompanionKind
from cds_service.knowledge.model import LabUse
from tests.builders.knowledge import listed_rows, shipped_knowledge

CODES = shipped_knowledge().lab_codes
LOINC = "http://loinc.org"
USES = {
    "criterion": LabUse.COUNT,
    "criterion-low-confidence": LabUse.LOW_CONFIDENCE_COUNT,
    "artifact-evidence": LabUse.CLUMPING,
    "panel-never-a-value": LabUse.PANEL,
    "never": LabUse.NEVER,
}
COMPANIONS = {
    "blasts": 3,
    "hemoglobin": 1,
    "ast": 2,
    "alt": 1,
    "temperature": 1,
    "edta-clump-check": 1,
    "platelet-adequacy": 1,
}


def test_every_row_that_may_decide_or_never_be_a_count_is_there() -> None:
    for row in listed_rows("labs.csv"):
        use = row["note"].removeprefix("USE=").partition(";")[0].strip().lower()
        if use == "companion":
            continue
        code = CODES[row["system"], row["code"]]
        assert (code.use, code.display) == (USES[use], row["display"]), row
        if use.startswith("criterion"):
            assert code.analyte is (Analyte.LEUKOCYTES if row["group"].startswith("wbc") else Analyte.PLATELETS)
            assert code.nrbc_corrected is ("corrected for nucleated" in row["display"])


def test_only_three_codes_are_the_absolute_neutrophil_count() -> None:
    found = {code.code for code in CODES.values() if code.analyte is Analyte.NEUTROPHILS}
    assert found == {"751-8", "26499-4", "753-4"}


@pytest.mark.parametrize(("kind", "number"), COMPANIONS.items())
def test_the_companions_read_are_there(kind: str, number: int) -> None:
    assert sum(code.companion is CompanionKind(kind) for code in CODES.values()) == number


def test_companions_that_nothing_reads_are_left_out() -> None:
    assert sum(code.use is LabUse.COMPANION for code in CODES.values()) == sum(COMPANIONS.values())


@pytest.mark.parametrize("code", ["30451-9", "26507-4", "770-8", "731-0", "1975-2"])
def test_a_fraction_or_another_cell_is_not_in_the_value_sets(code: str) -> None:
    assert (LOINC, code) not in CODES


def test_the_orders_are_those_of_the_raw_list() -> None:
    listed = {(row["system"], row["code"], row["display"]) for row in listed_rows("orders.csv")}
    orders = shipped_knowledge().orders
    assert {(order.system, order.code, order.display) for order in orders.values()} <= listed
    assert set(orders) == {
        "cbc-with-differential",
        "peripheral-smear",
        "liver-panel",
        "abdominal-ultrasound",
        "hematology-referral",
    }
