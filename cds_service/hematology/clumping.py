"""Which platelet counts clumping makes unreliable. The words that report clumping are the reader's business."""

from collections.abc import Iterable
from dataclasses import replace

from cds_service.hematology.criteria import Criterion
from cds_service.hematology.lab_results import Analyte, ClumpingReport, CountResult
from cds_service.hematology.windows import hours_within


def mark_clumped(
    counts: tuple[CountResult, ...], reports: Iterable[ClumpingReport], hours_before: Criterion
) -> tuple[CountResult, ...]:
    """The counts, with `clumped` set on the platelet counts some report concerns.

    A report concerns the counts of its specimen; where none is of its specimen, those collected at its time or in the
    `hours_before` it. A count whose own note reports clumps arrives marked and stays so.
    """
    concerned = [_concerns(report, counts, hours_before) for report in reports]
    return tuple(
        replace(count, clumped=True) if any(index in indices for indices in concerned) else count
        for index, count in enumerate(counts)
    )


def _concerns(report: ClumpingReport, counts: tuple[CountResult, ...], hours_before: Criterion) -> frozenset[int]:
    platelets = [(index, count) for index, count in enumerate(counts) if count.analyte is Analyte.PLATELETS]
    of_specimen = frozenset(
        index for index, count in platelets if report.specimen is not None and count.specimen == report.specimen
    )
    return of_specimen or frozenset(
        index for index, count in platelets if hours_within(count.collected, report.collected, hours_before)
    )
