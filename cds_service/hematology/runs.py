"""Runs: the unbroken series of low results ending at the newest, and the words for how long it lasts."""

from collections.abc import Iterable
from datetime import timedelta

from cds_service.hematology.criteria import Guideline
from cds_service.hematology.verdicts import Occasion, Run, RunWords, Side
from cds_service.hematology.windows import days_apart

_DAY = timedelta(days=1)


def low_run(newest: Occasion, older: Iterable[Occasion], guideline: Guideline) -> Run:
    """The run ending at `newest` (low). `older`: the occasions before it, newest first.

    Only a usable normal result breaks it; estimates may be older members and never break it; conflicting, undecided
    and unreliable ones neither break nor count; neighbours more than `run_gap` days apart end it.
    """
    members, gaps = [newest], [0]
    for occasion in older:
        if occasion.side is Side.LOW:
            gap = days_apart(members[-1].collected, occasion.collected)
            if gap > guideline.run_gap.days:
                break
            members.append(occasion)
            gaps.append(gap)
        elif occasion.side is Side.NOT_LOW and not occasion.low_confidence:
            break
    return _described(tuple(members), max(gaps), guideline)


def _described(members: tuple[Occasion, ...], gap: int, guideline: Guideline) -> Run:
    dates = [member.collected.day for member in members]
    days = (max(dates) - min(dates)).days
    words = _words(len(members), days, gap, guideline)
    return Run(occasions=members, words=words, days=days, hours=_hours(members), widest_gap_days=gap)


def _words(count: int, days: int, gap: int, guideline: Guideline) -> RunWords:
    if count == 1:
        return RunWords.ONE
    if days < guideline.long_run.days:
        return RunWords.REPEATED
    return RunWords.THREE_MONTHS if gap <= guideline.long_run_gap.days else RunWords.WITH_GAP


def _hours(members: tuple[Occasion, ...]) -> int | None:
    """Whole hours, at least 1, of a run of several results that lasts under a day; None otherwise."""
    newest, oldest = members[0].collected.instant, members[-1].collected.instant
    if len(members) == 1 or newest is None or oldest is None or newest - oldest >= _DAY:
        return None
    return max(1, (newest - oldest) // timedelta(hours=1))
