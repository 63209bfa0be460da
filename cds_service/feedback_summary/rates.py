"""A share with its confidence interval. Pure arithmetic."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True)
class Rate:
    """`part` of `whole`. Without a whole there is no rate: none is not nought."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """The share, 0 to 1."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's score interval at 95 % (E. B. Wilson, 1927; without continuity correction), which holds for small
        numbers and for shares of 0 and 1.
        """
        if not self.whole:
            return None
        share, square = self.part / self.whole, _Z**2 / self.whole
        middle = share + square / 2
        reach = _Z * sqrt((share * (1 - share) + square / 4) / self.whole)
        return max(0.0, (middle - reach) / (1 + square)), min(1.0, (middle + reach) / (1 + square))
