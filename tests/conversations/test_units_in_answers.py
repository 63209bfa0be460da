"""Every spelling of the list of units, through the whole service: converted as the list says, or set aside for it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import chart
from tests.builders.conversation import SERVICE
from tests.builders.knowledge import listed_rows, raw_list

ASSESSMENT = "org.cytopenia-cds.assessment"
UCUM = "http://unitsofmeasure.org"
COUNT = Decimal(88)
Case = tuple[str | None, str | None, str]


def cases(row: dict[str, str]) -> Iterator[Case]:
    """Unit, code, and what becomes of the result: the count, or the reason why it isn't used."""
    spelling, said = row["code"], row["factor_to_10*9/L"]
    nothing = "unit-not-understood" if row["group"] == "ambiguous" else "unit-not-a-count"
    outcome = f"{COUNT}" if said else nothing
    yield (spelling, None, outcome)
    yield (None, spelling, outcome)
    yield (spelling, spelling, outcome)
    yield ("words of no unit", spelling, outcome)
    yield (f" {spelling} ", f"\u200b{spelling}", outcome)
    yield (spelling, "per glass", "unit-not-understood")
    if said:
        agreeing, contradicting = (
            next(code for code, factor in CANONICAL.items() if (factor == Decimal(said)) is equal)
            for equal in (True, False)
        )
        yield (spelling, agreeing, outcome)
        yield (agreeing, spelling, outcome)
        yield (spelling, contradicting, "unit-contradiction")
        yield (contradicting, spelling, "unit-contradiction")
        yield (spelling, "mg/dL", "unit-contradiction")
        yield ("%", spelling, "unit-contradiction")
    elif row["group"] == "ambiguous":
        yield (spelling, "10*9/L", f"{COUNT}")  # a text that isn't understood says nothing beside a code that is
        yield ("10*9/L", spelling, "unit-not-understood")
    else:
        yield (spelling, "10*9/L", "unit-contradiction")
        yield ("10*9/L", spelling, "unit-contradiction")


ROWS = [row for row in raw_list("units.csv") if not row["code"].startswith("(")]
"""The list's spellings, without its rules about quantities."""
CANONICAL = {
    row["code"]: Decimal(row["factor_to_10*9/L"])
    for row in ROWS
    if row["system"] == UCUM and row["factor_to_10*9/L"] and "{" not in row["code"]
}


def platelets(number: int, case: Case, amount: Decimal) -> dict[str, Any]:
    unit, code, _ = case
    quantity: dict[str, Any] = {"value": float(amount)} | ({"unit": unit} if unit else {})
    quantity |= {"system": UCUM, "code": code} if code else {}
    return chart.observation({"plt": 1, "days": 1 + number, "id": f"o{number}", "with": {"valueQuantity": quantity}}, 0)


def test_the_list_is_at_hand() -> None:
    assert listed_rows("units.csv")


@pytest.mark.parametrize("row", ROWS, ids=[row["code"] for row in ROWS])
def test_a_spelling_of_the_list_is_read_as_listed(row: dict[str, str], client: FlaskClient) -> None:
    told = list(cases(row))
    factor = row["factor_to_10*9/L"]
    amount = COUNT / Decimal(factor) if factor else COUNT
    sent = [platelets(number, case, amount) for number, case in enumerate(told)]
    body = chart.call(chart.prefetch([]) | {"counts": chart.searchset(sent)})
    answer = client.post(SERVICE, data=json.dumps(body), content_type="application/json")
    assessment = json.loads(answer.get_data(), parse_float=Decimal)["extension"][ASSESSMENT]
    findings = {finding["finding"]: finding for finding in assessment["findings"]}
    used = {one["reference"]: str(one["value"]) for one in findings["thrombocytopenia"].get("results", [])}
    not_used = {one["reference"]: one["reason"] for one in assessment.get("notUsed", [])}
    expected = {f"Observation/o{number}": outcome for number, (_, _, outcome) in enumerate(told)}
    assert used | not_used == expected
