"""A share's confidence interval is the published one, holds for small numbers, and nothing is divided by nought."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.feedback_summary.rates import Rate


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_the_published_one(part: int, whole: int, low: float, high: float) -> None:
    assert Rate(part, whole).interval == pytest.approx((low, high), abs=0.00005)


def test_one_of_one_says_almost_nothing() -> None:
    assert Rate(1, 1).value == 1
    assert Rate(1, 1).interval == pytest.approx((0.2065, 1.0), abs=0.0001)


def test_without_a_whole_there_is_no_rate() -> None:
    assert Rate(0, 0).value is None
    assert Rate(0, 0).interval is None


@given(st.integers(0, 10**6).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_the_share_lies_in_its_interval_and_the_other_share_in_the_mirrored_one(counts: tuple[int, int]) -> None:
    part, whole = counts
    rate, other = Rate(part, whole), Rate(whole - part, whole)
    if rate.interval is None or rate.value is None or other.interval is None:
        assert whole == 0
        return
    low, high = rate.interval
    assert 0 <= low <= rate.value + 1e-12
    assert rate.value - 1e-12 <= high <= 1
    assert other.interval == pytest.approx((1 - high, 1 - low), abs=1e-9)
