"""Work on new documents is bounded for each caller."""

from __future__ import annotations

import pytest

from hub.errors import LimitError
from hub.schema.budget import PreparingBudget


class Times:
    """What the clocks show."""

    def __init__(self) -> None:
        self.now = self.worked = 0.0
        self.budget = PreparingBudget(6, lambda: self.now, lambda: self.worked)

    def work(self, caller: str, seconds: float) -> bool:
        """Whether the caller may have so much work done."""
        try:
            with self.budget.spending(caller):
                self.worked += seconds
        except LimitError:
            return False
        return True


def test_a_caller_whose_bucket_is_empty_waits_and_others_do_not() -> None:
    times = Times()
    assert [times.work("a", 3), times.work("a", 3), times.work("a", 0)] == [True, True, False]
    assert times.work("b", 1)


def test_the_bucket_fills_over_a_minute_and_not_above_its_size() -> None:
    times = Times()
    assert times.work("a", 6)
    times.now = 10  # a second has come back
    assert [times.work("a", 1), times.work("a", 1)] == [True, False]
    times.now = 1_000
    assert [times.work("a", 6), times.work("a", 1)] == [True, False]


def test_more_than_the_bucket_held_is_paid_back_by_waiting() -> None:
    times = Times()
    assert times.work("a", 12)
    times.now = 59
    assert not times.work("a", 1)
    times.now = 61
    assert times.work("a", 1)


def test_work_that_fails_is_counted_too() -> None:
    times = Times()

    def fail() -> None:
        with times.budget.spending("a"):
            times.worked += 6
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not times.work("a", 1)
