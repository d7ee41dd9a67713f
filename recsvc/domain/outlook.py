r"""What the personal clock says of the time ahead, given the silence so far.

The clock's distribution of the next gap is cut off at the present silence, which it has already outlasted: with
:math:`S` the survival function, :math:`P(G > g \mid G > s) = S(g) / S(s)`. Of a beta-prime gap scaled by
:math:`w = v + \text{sum of gaps}`, :math:`S(g) = I_{w/(w+g)}(q + np, p)`, which the inverse of the regularised
incomplete beta function turns round. Nothing is fitted here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv

from recsvc.domain.arrays import Days, Mask, Vector
from recsvc.domain.lapse import LONGEST_GAP_DAYS, TINY, LapseParams
from recsvc.domain.rfm import Gaps

INTERVAL = (0.1, 0.5, 0.9)  # the middle, and an interval that holds 80 %
LIMIT_DAYS = 365  # dates further ahead than a year are no plan


@dataclass(frozen=True, slots=True)
class NextOrder:
    """When each customer is expected to order next; every array has shape (n_customers, 3): earliest, middle, latest.

    Attributes
    ----------
    day : days since 1970-01-01
        Means nothing where `is_known` is False.
    is_known
        False for customers who are lost, and for dates more than `LIMIT_DAYS` ahead. Rising dates: where the latest is
        known, so are the others.
    """

    day: Days
    is_known: Mask


def next_order(clock: LapseParams, gaps: Gaps, last_order_day: Days, as_of_day: int, is_lost: Mask) -> NextOrder:
    """Median day of the next order and its 80 % interval, none before `as_of_day`.

    Parameters
    ----------
    clock, gaps
        The fitted clock, and the customers' gaps.
    last_order_day : shape (n_customers,), days since 1970-01-01, before `as_of_day`
    as_of_day : days since 1970-01-01
        End of the silence so far.
    is_lost : shape (n_customers,)
        Who is given no date.

    Examples
    --------
    Four gaps of 30 days, 20 days after the last order on day 1,000.

    >>> clock, monthly = LapseParams(p=2.0, q=2.0, v=30.0), Gaps(np.array([4.0]), np.array([120.0]), 4 * np.log([30.0]))
    >>> found = next_order(clock, monthly, np.array([1000], np.int32), 1020, np.array([False]))
    >>> found.day.tolist(), bool(found.is_known.all())
    ([[1023, 1038, 1080]], True)
    """
    silence = np.maximum(as_of_day - last_order_day, 0).astype(np.float64)
    gap = remaining_gap_quantiles(clock, gaps, silence, INTERVAL)
    day = np.maximum(last_order_day[:, None] + np.rint(gap).astype(np.int32), as_of_day).astype(np.int32)
    return NextOrder(day, ~is_lost[:, None] & (day <= as_of_day + LIMIT_DAYS))


def remaining_gap_quantiles(clock: LapseParams, gaps: Gaps, silence_days: Vector, shares: tuple[float, ...]) -> Vector:
    r"""Days from the last order within which a share of the gaps longer than the present silence ends.

    .. math:: S(g) = (1 - u)\,S(s), \qquad g = w\,\tfrac{1-y}{y}, \quad y = I^{-1}_{(1-u)S(s)}(q + np,\ p)

    Parameters
    ----------
    clock, gaps
        The fitted clock, and the customers' gaps.
    silence_days : shape (n_customers,), days, 0 or more
    shares : in (0, 1)

    Returns
    -------
    shape (n_customers, n_shares), days, `silence_days` or more, at most a century beyond
    """
    longer = _share_longer(clock, gaps, silence_days)[:, None] * (1.0 - np.asarray(shares))
    y = np.maximum(betaincinv((clock.q + clock.p * gaps.n_gaps)[:, None], clock.p, np.maximum(longer, TINY)), TINY)
    days = (clock.v + gaps.sum_days)[:, None] * ((1.0 - y) / y)
    silence = silence_days[:, None]
    return np.asarray(np.clip(days, silence, silence + LONGEST_GAP_DAYS), np.float64)


def return_by_rhythm(clock: LapseParams, gaps: Gaps, silence_days: Vector, horizon_days: float) -> Vector:
    """Probability of an order within the horizon were the customer still on their own rhythm: 1 - S(s + H) / S(s).

    Parameters
    ----------
    clock, gaps, silence_days
        As in `remaining_gap_quantiles`.
    horizon_days : above 0

    Returns
    -------
    shape (n_customers,), in [0, 1]
    """
    now, then = (_share_longer(clock, gaps, silence) for silence in (silence_days, silence_days + horizon_days))
    return 1.0 - np.minimum(then / np.maximum(now, TINY), 1.0)


def _share_longer(clock: LapseParams, gaps: Gaps, days: Vector) -> Vector:
    """Share of each customer's next gaps that are longer; exact in the far tail; shape (n_customers,)."""
    scale = clock.v + gaps.sum_days
    return np.asarray(betainc(clock.q + clock.p * gaps.n_gaps, clock.p, scale / (scale + days)), np.float64)
