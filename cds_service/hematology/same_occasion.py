"""Which results of one analyte stand for one collection: of one minute, of one date where a time is missing, or of one
specimen within some hours. Linear in the number of results, however they lie. Knows no limit and no value.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise

from cds_service.hematology.criteria import Criterion
from cds_service.hematology.lab_results import CollectionTime, CountResult

_Place = int | date
"""The minute of a result, or its date where it has no time: results of one place are of one occasion."""

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Occasions:
    """Results of one analyte, to be asked which of them belong together."""

    def __init__(self, results: Sequence[CountResult], specimen_hours: Criterion) -> None:
        self._results = results
        self._reach = specimen_hours.span
        self._places = [_place(result.collected) for result in results]
        self._specimens: dict[str, list[CollectionTime]] = defaultdict(list)
        for result in results:
            if result.specimen is not None:
                self._specimens[result.specimen].append(result.collected)

    def groups(self) -> list[list[CountResult]]:
        """The results by occasion. What is one occasion with a member belongs to all of it."""
        leader: dict[_Place, _Place] = {}

        def find(place: _Place) -> _Place:
            while place in leader:
                above = leader[place]
                leader[place] = leader.get(above, above)
                place = above
            return place

        for one, other in self._links():
            if (first := find(one)) != (second := find(other)):
                leader[second] = first
        groups: dict[_Place, list[CountResult]] = defaultdict(list)
        places = [find(place) for place in self._places] if leader else self._places
        for place, result in zip(places, self._results, strict=True):
            groups[place].append(result)
        return list(groups.values())

    def hold(self, other: CountResult) -> bool:
        """Whether `other`, which isn't among the results, is of one occasion with one of them."""
        times = self._specimen_times.get(other.specimen) if other.specimen is not None else None
        return self._of_its_time(other.collected) or (times is not None and times.reach(other.collected))

    def _of_its_time(self, other: CollectionTime) -> bool:
        if other.instant is None:
            return other.day in self._days
        return other.day in self._taken or _minute(other.instant) in self._taken

    @cached_property
    def _taken(self) -> set[_Place]:
        return set(self._places)

    @cached_property
    def _days(self) -> set[date]:
        return {result.collected.day for result in self._results}

    @cached_property
    def _specimen_times(self) -> dict[str, "_SpecimenTimes"]:
        return {specimen: _SpecimenTimes(drawn, self._reach) for specimen, drawn in self._specimens.items()}

    def _links(self) -> Iterator[tuple[_Place, _Place]]:
        """Places that are of one occasion, two at a time; together these links make the groups."""
        if bare := {result.collected.day for result in self._results if result.collected.instant is None}:
            for place, result in zip(self._places, self._results, strict=True):
                if result.collected.day in bare:
                    yield result.collected.day, place
        for drawn in self._specimens.values():
            if len(drawn) > 1:
                yield from _SpecimenTimes(drawn, self._reach).links()


class _SpecimenTimes:
    """When the results of one specimen were collected: the instants of those with a time, and all by date."""

    def __init__(self, collected: Iterable[CollectionTime], reach: timedelta) -> None:
        self._reach = reach
        self._instants: list[datetime] = []
        self._bare: set[date] = set()
        self._dates: dict[date, set[_Place]] = defaultdict(set)
        for one in collected:
            self._dates[one.day].add(_place(one))
            if one.instant is None:
                self._bare.add(one.day)
            else:
                self._instants.append(one.instant)
        self._instants.sort()

    def links(self) -> Iterator[tuple[_Place, _Place]]:
        """Places that are of one occasion, two at a time."""
        for one, other in pairwise(self._instants):
            if other - one <= self._reach:
                yield _minute(one), _minute(other)
        for day in self._bare:
            for near in self._days_around(day):
                for place in self._dates.get(near, ()):
                    yield day, place

    def reach(self, other: CollectionTime) -> bool:
        """Whether another result of the specimen, collected then, is of one occasion with one of these."""
        days = set(self._days_around(other.day))
        if other.instant is None:
            return not days.isdisjoint(self._dates)
        nearest = bisect_left(self._instants, other.instant - self._reach)
        timed = nearest < len(self._instants) and self._instants[nearest] <= other.instant + self._reach
        return timed or not days.isdisjoint(self._bare)

    def _days_around(self, day: date) -> Iterator[date]:
        """The dates of which a result without time may be of the same specimen; none that no calendar reaches."""
        reach = self._reach // _DAY
        for distance in range(-reach, reach + 1):
            try:
                yield day + timedelta(days=distance)
            except OverflowError:
                continue


def _place(collected: CollectionTime) -> _Place:
    return collected.day if collected.instant is None else _minute(collected.instant)


def _minute(instant: datetime) -> int:
    """An analyser's result and its validated copy differ in seconds: they are one."""
    return (instant - _EPOCH) // _MINUTE
