"""A deadline is one point in time, told by the clock it is given."""

from cds_service.outbound.deadline import Deadline


def test_what_remains_falls_to_zero_and_no_further() -> None:
    times = iter([100.0, 100.0, 101.5, 102.0, 250.0])
    deadline = Deadline.after(2.0, clock=lambda: next(times))
    assert [deadline.remaining() for _ in range(4)] == [2.0, 0.5, 0.0, 0.0]
