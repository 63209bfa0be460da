"""The summary as JSON: the same members whatever is counted, so that a machine need not guess. No patient data."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from cds_service.cds_hooks.clients import CdsClient
from cds_service.feedback_summary.fates import Kind
from cds_service.feedback_summary.made import MadeSummary
from cds_service.feedback_summary.observed import Comment
from cds_service.feedback_summary.rates import Rate
from cds_service.feedback_summary.summing import Dimension
from cds_service.feedback_summary.tallies import Tally

Json = dict[str, object]


def summary_as_json(made: MadeSummary, dimensions: Sequence[Dimension]) -> Json:
    """Rows by these dimensions, their total, what is in no count, and comments where they were asked for."""
    rows = made.summary.by(dimensions).items()
    told: Json = {
        "mode": made.period.mode,
        "since": _instant(made.period.since),
        "until": _instant(made.period.until),
        "asOf": _instant(made.rules.as_of),
        "ignoredAfterDays": made.rules.ignored_after.days,
        "rows": [_place(dimensions, key) | _counts(tally) for key, tally in rows],
        "total": _counts(made.summary.total),
        "notCounted": {**vars(made.summary.uncounted), "cardNotShown": made.summary.reports_on_unshown},
    }
    if made.comments is not None:
        told["comments"] = [_comment(one, made.rules.reasons) for one in made.comments]
    return told


def _place(dimensions: Sequence[Dimension], key: Sequence[object]) -> Json:
    place: Json = {}
    for dimension, value in zip(dimensions, key, strict=True):
        if isinstance(value, CdsClient):
            place |= {"client": value.issuer, "tenant": value.tenant}
        else:
            place[dimension] = f"{value:%Y-%m}" if isinstance(value, date) else value
    return place


def _counts(tally: Tally) -> Json:
    return {
        "shown": tally.shown,
        **{kind.value: tally.count(kind) for kind in Kind},
        "overriddenByReason": tally.by_reason(Kind.OVERRIDDEN),
        "quietedBy": tally.by_reason(Kind.QUIETED),
        "distinctMessages": tally.distinct,
        "bothOutcomesReported": tally.changed,
        "comments": tally.comments,
        "overrideRate": _rate(tally.override_rate),
        "overrideRateOfMessages": _rate(tally.override_rate_of_messages),
        "answerRate": _rate(tally.answer_rate),
        "quietRate": _rate(tally.quiet_rate),
    }


def _rate(rate: Rate) -> Json:
    """`rate` is null where there is nothing to divide by; `low` and `high` bound the 95 % interval."""
    low, high = rate.interval or (None, None)
    rounded = {"rate": rate.value, "low": low, "high": high}
    return {"part": rate.part, "of": rate.whole} | {
        name: None if value is None else round(value, 4) for name, value in rounded.items()
    }


def _comment(comment: Comment, reasons: Mapping[tuple[str, str], str]) -> Json:
    return {
        "receivedAt": _instant(comment.received_at),
        "client": comment.client.issuer,
        "tenant": comment.client.tenant,
        "card": comment.card,
        "finding": comment.finding,
        "indicator": comment.indicator,
        "outcome": comment.outcome,
        "reason": reasons.get(comment.reason, "other") if comment.reason else None,
        "text": comment.text,
    }


def _instant(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
