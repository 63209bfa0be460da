"""A summary with what it was made of and by which rules, as it is handed to whoever tells it. A frozen value."""

from dataclasses import dataclass

from cds_service.feedback_summary.fates import Rules
from cds_service.feedback_summary.observed import Comment, Period
from cds_service.feedback_summary.summing import Summary

MAX_COMMENTS = 500
"""Comments told, the newest; all of them are in the export."""


@dataclass(frozen=True)
class MadeSummary:
    """`comments` is None where they were not asked for."""

    period: Period
    rules: Rules
    summary: Summary
    comments: tuple[Comment, ...] | None = None
