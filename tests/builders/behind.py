"""What is written behind the answers, for tests that look into the database after a call."""

from collections.abc import Callable

from cds_service.composition.parts import Parts
from cds_service.web.request_log import CallRecord

LONG = 60.0
"""Seconds that nothing takes, however busy the machine."""


def written(parts: Parts) -> Callable[[CallRecord], None]:
    """An observer that has a call's rows written, if that is possible, before its answer is seen."""

    def write(_: CallRecord) -> None:
        parts.write_rows(LONG)

    return write
