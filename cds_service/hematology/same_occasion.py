"""Which results of one analyte stand for one collection: of one minute, of one date where a time is missing, or of one
specimen within some hours. Linear in the number of results, however they lie. Knows no limit and no value.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from cds_service.hematology.criteria import Criterion
from cds_service.hematology.lab_results import CountResult

_DAY = timedelta(days=1)


@dataclass
class _Times:
    """The times of some results: those with a time in `timed`, all of a date in `dates`, `bare` dates have one without.

    The numbers are the results' positions.
    """

    timed: list[tuple[datetime, int]] = field(default_factory=list)
    dates: dict[date, list[int]] = field(default_factory=lambda: defaultdict(list))
    bare: set[date] = field(default_factory=set)

    def add(self, result: CountResult, position: int) -> None:
        collected = result.collected
        self.dates[collected.day].append(position)
        if collected.instant is None:
            self.bare.add(collected.day)
        else:
            self.timed.append((collected.instant, position))


class Occasions:
    """Results of one analyte, to be asked which of them belong together."""

    def __init__(self, results: Sequence[CountResult], specimen_hours: Criterion) -> None:
        self._results = results
        self._reach = timedelta(hours=int(specimen_hours.value))
        self._all = _Times()
        self._specimens: dict[str, _Times] = defaultdict(_Times)
        for position, result in enumerate(results):
            self._all.add(result, position)
            if result.specimen is not None:
                self._specimens[result.specimen].add(result, position)
        for times in (self._all, *self._specimens.values()):
            times.timed.sort()
        self._minutes: dict[datetime, list[int]] = defaultdict(list)
        for instant, position in self._all.timed:
            self._minutes[_minute(instant)].append(position)

    def groups(self) -> list[list[CountResult]]:
        """The results by occasion. What is one occasion with a member belongs to all of it."""
        leader = list(range(len(self._results)))

        def find(position: int) -> int:
            while leader[position] != position:
                leader[position] = leader[leader[position]]
                position = leader[position]
            return position

        for first, *others in self._together():
            for position in others:
                leader[find(position)] = find(first)
        groups: dict[int, list[CountResult]] = defaultdict(list)
        for position, result in enumerate(self._results):
            groups[find(position)].append(result)
        return list(groups.values())

    def hold(self, other: CountResult) -> bool:
        """Whether `other`, which isn't among the results, is of one occasion with one of them."""
        times = self._specimens.get(other.specimen) if other.specimen is not None else None
        return self._of_its_time(other) or (times is not None and self._of_its_specimen(other, times))

    def _of_its_time(self, other: CountResult) -> bool:
        instant, day = other.collected.instant, other.collected.day
        if instant is None:
            return day in self._all.dates
        return day in self._all.bare or _minute(instant) in self._minutes

    def _of_its_specimen(self, other: CountResult, times: _Times) -> bool:
        instant, days = other.collected.instant, set(self._days_around(other.collected.day))
        if instant is None:
            return not days.isdisjoint(times.dates)
        nearest = bisect_left(times.timed, (instant - self._reach, -1))
        timed = nearest < len(times.timed) and times.timed[nearest][0] <= instant + self._reach
        return timed or not days.isdisjoint(times.bare)

    def _together(self) -> Iterator[list[int]]:
        """Positions that are one occasion, some at a time; together these links make the groups."""
        yield from self._minutes.values()
        yield from (self._all.dates[day] for day in self._all.bare)
        for times in self._specimens.values():
            for (one, first), (other, second) in zip(times.timed, times.timed[1:], strict=False):
                if other - one <= self._reach:
                    yield [first, second]
            for day in times.bare:
                yield [position for near in self._days_around(day) for position in times.dates.get(near, ())]

    def _days_around(self, day: date) -> Iterable[date]:
        """The dates of which a result without time may be of the same specimen; none that no calendar reaches."""
        reach = self._reach // _DAY
        for distance in range(-reach, reach + 1):
            try:
                yield day + timedelta(days=distance)
            except OverflowError:
                continue


def _minute(instant: datetime) -> datetime:
    """An analyser's result and its validated copy differ in seconds: they are one."""
    return instant.astimezone(UTC).replace(second=0, microsecond=0)
