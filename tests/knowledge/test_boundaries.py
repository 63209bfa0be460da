"""Each limit in each accepted unit, made from the data: a laboratory's number in, the verdict out."""

from collections.abc import Iterator
from itertools import groupby

import pytest

from cds_service.hematology.assessment import assess
from cds_service.hematology.lab_results import Analyte
from cds_service.hematology.verdicts import Verdict
from tests.builders.fhir import AS_OF, PLT, WBC, observation, quantity, read
from tests.builders.knowledge import BoundaryCount, boundary_counts, shipped_knowledge

GUIDELINE = shipped_knowledge().guideline
CODES = {Analyte.LEUKOCYTES: WBC, Analyte.PLATELETS: PLT}


def by_unit() -> Iterator[list[BoundaryCount]]:
    counts = sorted(boundary_counts(), key=lambda count: (count.analyte, count.unit))
    for _, group in groupby(counts, key=lambda count: (count.analyte, count.unit)):
        yield list(group)


@pytest.mark.statement("leukopenia-threshold")
@pytest.mark.parametrize("counts", list(by_unit()), ids=lambda counts: f"{counts[0].analyte} in {counts[0].unit}")
def test_only_a_count_below_the_limit_is_low(counts: list[BoundaryCount]) -> None:
    for count in counts:
        sent = observation(CODES[count.analyte], quantity(count.reported, unit=count.unit))
        assessment = assess(read(sent), GUIDELINE, AS_OF)
        if count.analyte is Analyte.LEUKOCYTES:
            expected = Verdict.UNCONFIRMED if count.low else Verdict.ABSENT
            assert assessment.leukopenia.verdict is expected, str(count)
        else:
            expected = Verdict.PRESENT if count.low else Verdict.ABSENT
            assert assessment.thrombocytopenia.verdict is expected, str(count)
