"""What becomes of a customer's state while no order comes: known in advance, so a stored answer is right on any day.

Two things move with silence alone: the state on the personal clock, and whether somebody still counts as of high value,
which can only be lost. Both are kept as the days of silence on which they change.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace

import numpy as np

from recsvc.domain.arrays import Mask, Vector
from recsvc.domain.history import Histories
from recsvc.domain.lapse import begins_after_days, lapsed_after_days, state_of
from recsvc.domain.profiles import CustomerModels
from recsvc.domain.rfm import Rfm, gaps, rfm
from recsvc.domain.segments import is_high_value, spend_per_active_year

STAGES = 5  # `active` to `lost`, or what stands for them after one order
STATES_AFTER_ONE_ORDER = tuple(state_of(np.arange(STAGES), np.ones(STAGES, bool)).tolist())
STATES_AFTER_MORE = tuple(state_of(np.arange(STAGES), np.zeros(STAGES, bool)).tolist())


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one customer who has at least one order.

    Attributes
    ----------
    orders : order-days, at least 1
    last_order_day : days since 1970-01-01
    begins_after_days : days of silence
        On which each of the five stages begins, rising; the first is 0.
    high_value_days : days of silence, 0 or more
        Fewer, and the customer is of high value; infinite when that never ends.
    """

    orders: int
    last_order_day: int
    begins_after_days: tuple[int, ...]
    high_value_days: float

    def silence_days(self, now_day: int) -> int:
        """Days since the last order at the beginning of a day, at least 1: an order of the day itself is past."""
        return max(now_day - self.last_order_day, 1)

    def state(self, silence_days: int) -> tuple[int, int]:
        """Position in `lapse.STATES`, and the day the state began."""
        stage = bisect_right(self.begins_after_days, silence_days) - 1
        states = STATES_AFTER_ONE_ORDER if self.orders == 1 else STATES_AFTER_MORE
        return states[stage], self.last_order_day + self.begins_after_days[stage]

    def is_high_value(self, silence_days: int) -> bool:
        """Whether the customer is of high value."""
        return silence_days < self.high_value_days


def courses(histories: Histories, models: CustomerModels) -> list[Course]:
    """Courses of customers who all have at least one order, in their order."""
    between = gaps(histories)
    lapsed_after = lapsed_after_days(models.lapse, models.thresholds, between)
    summary = rfm(histories, int(histories.order_day.max(initial=0)) + 1)
    columns = (
        np.diff(histories.order_offsets),
        histories.last_order_day(),
        begins_after_days(models.lapse, models.thresholds, between),
        _high_value_days(models, summary, lapsed_after),
    )
    return [
        Course(orders, last, tuple(begins), high)
        for orders, last, begins, high in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _high_value_days(models: CustomerModels, summary: Rfm, lapsed_after: Vector) -> Vector:
    """First day of silence on which each customer is not of high value; infinite where there is none.

    Spend a year falls with silence, and stays what it is once somebody has lapsed: the day is found by halving.
    """
    last = np.ceil(lapsed_after)

    def is_held(silence: Vector) -> Mask:
        at = replace(summary, T=summary.recency + silence)
        return is_high_value(models.high_value, spend_per_active_year(models.value, at, lapsed_after))

    high, lost = np.zeros(len(summary)), last + 1.0  # of high value through the one, no more from the other on
    while np.any(apart := lost - high > 1):
        middle = np.floor((high + lost) / 2)
        still = is_held(middle)
        high, lost = np.where(apart & still, middle, high), np.where(apart & ~still, middle, lost)
    return np.where(lost > last, np.inf, lost)
