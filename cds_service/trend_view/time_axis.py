"""The time axis that all parts of a drawing share. Dates are written as numbers: no month needs a translation."""

from dataclasses import dataclass
from datetime import datetime, timedelta

Spec = dict[str, object]
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - times are drawn as the record's wall clock shows them
_DAYS_ONE_BY_ONE = timedelta(days=8)
_MONTHS_ONLY = timedelta(days=3 * 366)


def milliseconds(moment: datetime) -> int:
    """A wall clock's time as the drawing counts it."""
    return round((moment - _EPOCH).total_seconds() * 1000)


@dataclass(frozen=True)
class TimeAxis:
    """From `first` to `last`, with a margin, on `width` pixels."""

    first: datetime
    last: datetime
    width: int

    @property
    def domain(self) -> tuple[int, int]:
        """The ends, in milliseconds."""
        margin = max((self.last - self.first) / 30, timedelta(hours=18))
        return milliseconds(self.first - margin), milliseconds(self.last + margin)

    @property
    def scale(self) -> Spec:
        """As the drawing library wants it."""
        return {"type": "utc", "domain": [*self.domain]}

    def at(self, pixel: float) -> int:
        """The time at a pixel."""
        first, last = self.domain
        return round(first + (last - first) * pixel / self.width)

    def pixel(self, moment: int) -> float:
        """Where a time stands."""
        first, last = self.domain
        return self.width * (moment - first) / (last - first)

    def look(self, bottom: bool) -> Spec:
        """Ticks and dates, which only the lowest part of a drawing has."""
        shown = self.last - self.first
        return {
            "title": None,
            "grid": False,
            "format": "%Y-%m" if shown > _MONTHS_ONLY else "%Y-%m-%d",
            "tickCount": {"interval": "day", "step": 1} if shown < _DAYS_ONE_BY_ONE else 5,
            "labelOverlap": True,
            "labelFlush": True,
            "labels": bottom,
            "ticks": bottom,
            "domain": bottom,
        }
