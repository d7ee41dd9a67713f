"""Who is slipping before the clock says lapsed, by which signs, and how much is at stake.

A sign is something a customer does differently from their own past, never from other customers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtr

from recsvc.domain.arrays import Mask, Vector
from recsvc.domain.customer_features import RECENT_DAYS, CustomerFacts
from recsvc.domain.history import Histories
from recsvc.domain.lapse import ACTIVE, DUE, LATE, LapseParams
from recsvc.domain.outlook import return_by_rhythm
from recsvc.domain.value_models import DAYS_PER_YEAR

CHANCE = 0.05  # as few orders as that come by chance this seldom
FALLEN = 0.5  # of the usual, and no more
USUAL_ORDERS = 3.0  # in 90 days: with fewer, spend swings by itself
WORSE = 2.0  # times as likely to stay away as their own rhythm says, and by as much more as would be unsure alone


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for a customer slipping; every array has shape (n_customers,).

    Attributes
    ----------
    overdue : late by own rhythm; or due, and not sure to return within the horizon
    falling : active or due, with far fewer orders, or far less spend, in 90 days than usual
    off_rhythm : active or due, and much less likely to return than the own rhythm implies
    recent_orders : count of orders in the last 90 days
    usual_orders : orders that 90 days used to hold; 0 where there is less than 90 days of before
    rhythm_returns : probability in [0, 1] of an order within the horizon, by the own rhythm alone
    """

    overdue: Mask
    falling: Mask
    off_rhythm: Mask
    recent_orders: Vector
    usual_orders: Vector
    rhythm_returns: Vector

    @property
    def any(self) -> Mask:
        """Who shows one of them; shape (n_customers,)."""
        return self.overdue | self.falling | self.off_rhythm


@dataclass(frozen=True, slots=True)
class Judged:
    """What is already known of the customers when signs are looked for; arrays of shape (n_customers,).

    Attributes
    ----------
    state : position in `lapse.STATES`
    churn : probability of no order within the horizon
    unsure : churn from which somebody is not all but sure to return, in [0, 1)
    horizon_days : at least 1
    """

    state: NDArray[np.int8]
    churn: Vector
    unsure: float
    horizon_days: int


def warning_signs(
    histories: Histories, facts: CustomerFacts, clock: LapseParams, judged: Judged, as_of_day: int
) -> Signs:
    """Look for signs of slipping in customers who are active, due or late.

    Due is half of all gaps, so it counts only for those who are not sure to return. Orders have fallen sharply when 90
    days held at most half of what they used to, and so few that a steady (Poisson) customer would show it less than one
    time in twenty.

    Parameters
    ----------
    histories, facts
        Records, and what `customer_facts` says of them at `as_of_day`.
    """
    state, churn = judged.state, judged.churn
    recent, usual = _orders(histories, facts, as_of_day)
    fewer = (recent <= FALLEN * usual) & (pdtr(recent, usual) < CHANCE)
    less = (usual >= USUAL_ORDERS) & (facts.spend_trend <= np.log(FALLEN))
    rhythm = return_by_rhythm(clock, facts.between, facts.silence_days, judged.horizon_days)
    by_rhythm = 1.0 - rhythm  # probability of staying away
    on_time = (state == ACTIVE) | (state == DUE)
    return Signs(
        overdue=(state == LATE) | ((state == DUE) & (churn >= judged.unsure)),
        falling=on_time & (fewer | less),
        off_rhythm=on_time & (churn >= np.maximum(WORSE * by_rhythm, by_rhythm + judged.unsure)),
        recent_orders=recent,
        usual_orders=usual,
        rhythm_returns=rhythm,
    )


def value_at_stake(spend_per_year: Vector, churn: Vector, horizon_days: int, margin: float) -> Vector:
    """Margin of the horizon's usual spend that is expected to be lost: value x probability of staying away.

    Examples
    --------
    >>> value_at_stake(np.array([3650.0]), np.array([0.25]), horizon_days=90, margin=0.5)
    array([112.5])
    """
    return spend_per_year * (horizon_days / DAYS_PER_YEAR) * margin * churn


def _orders(histories: Histories, facts: CustomerFacts, as_of_day: int) -> tuple[Vector, Vector]:
    """Orders in the last 90 days, and those that 90 days used to hold; each of shape (n_customers,)."""
    inside = (histories.order_day >= as_of_day - RECENT_DAYS).astype(np.float64)
    recent = np.add.reduceat(inside, histories.order_offsets[:-1])
    periods = (facts.summary.T - RECENT_DAYS) / RECENT_DAYS
    return recent, np.where(periods >= 1.0, (facts.orders - recent) / np.maximum(periods, 1.0), 0.0)
