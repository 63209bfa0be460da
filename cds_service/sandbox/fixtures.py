"""The synthetic patients the sandbox opens with: their index, and their Bundles moved to today. Knows no server."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from cds_service.sandbox.date_shift import shift_dates

_PACKAGED = Path(__file__).parent / "fixtures"
_CHECKOUT = Path(__file__).parents[2] / "fhir_fixtures"


@dataclass(frozen=True)
class FixturePatient:
    """One patient of the index: FHIR id, Bundle file, name, what the chart is about, and the story behind it.

    `indicator` is that of the card the chart must lead to, "none" where it must lead to none.
    """

    id: str
    file: Path
    name: str
    title: str
    story: str
    indicator: str


@dataclass(frozen=True)
class FixtureIndex:
    """The patients in their order, and the day their results are dated by."""

    reference_day: date
    patients: tuple[FixturePatient, ...]

    def bundles(self, today: date) -> Iterator[tuple[FixturePatient, dict[str, object]]]:
        """Each patient with the transaction Bundle, its dates moved so that the reference day is `today`."""
        days = (today - self.reference_day).days
        for patient in self.patients:
            yield patient, shift_dates(orjson.loads(patient.file.read_bytes()), days)


class FixturesMissing(Exception):
    """The fixtures, or a part of them, can't be read; the message says which."""


def fixture_folder() -> Path:
    """Where the fixtures are: `fhir_fixtures` of a checkout, or the copy inside an installed package.

    Raises:
        FixturesMissing: when neither is there.
    """
    for folder in (_CHECKOUT, _PACKAGED):
        if (folder / "index.json").is_file():
            return folder
    raise FixturesMissing("The synthetic patients (fhir_fixtures/index.json) are missing from this installation.")


def load_index(folder: Path) -> FixtureIndex:
    """Read `index.json` and name the file of each patient.

    Raises:
        FixturesMissing: when the index isn't readable or a Bundle it names isn't there.
    """
    try:
        index = orjson.loads((folder / "index.json").read_bytes())
        patients = tuple(_patient(folder, row) for row in index["patients"])
        return FixtureIndex(date.fromisoformat(index["referenceDay"]), patients)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise FixturesMissing(f"The index of the synthetic patients can't be read: {error}.") from error


def _patient(folder: Path, row: Mapping[str, Any]) -> FixturePatient:
    file = next((path for path in (folder / row["file"], folder / "r4" / row["file"]) if path.is_file()), None)
    if file is None:
        raise FixturesMissing(f"The index of the synthetic patients names {row['file']}, which isn't there.")
    indicator = row.get("expect", {}).get("indicator") or "none"
    return FixturePatient(row["id"], file, row["name"], row["title"], row["story"], indicator)
