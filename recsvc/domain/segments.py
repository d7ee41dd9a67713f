"""Who is worth winning back: high value by spend *while active*, and segments of value x state.

What is left to expect of a lapsed customer is low by construction and would hide exactly the people this
engine is for, so value is judged by the rhythm and the spend of their active time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Mask, Vector
from recsvc.domain.gamma_gamma import expected_average_value
from recsvc.domain.lapse import STATES
from recsvc.domain.mbg_nbd import MbgNbdParams, probability_alive
from recsvc.domain.rfm import Rfm
from recsvc.domain.value_models import DAYS_PER_YEAR, ValueModels
from recsvc.errors import DataError

SEGMENTS: Final = tuple(f"{value}_{state}" for value in ("high_value", "standard") for state in STATES)


@dataclass(frozen=True, slots=True)
class HighValueRule:
    """From how much expected spend per active year a customer is of high value.

    Attributes
    ----------
    share : in (0, 1)
        Share of customers the rule was fitted to select.
    threshold : currency units per year, 0 or more
        Stored, so that a customer who buys today is judged by the same line as everyone at training.
    """

    share: float
    threshold: float

    def __post_init__(self) -> None:
        if not (0 < self.share < 1 and np.isfinite(self.threshold) and self.threshold >= 0):
            raise DataError("high value rule", f"share must be in (0, 1) and threshold 0 or more, not {self}")

    def to_json(self) -> dict[str, float]:
        """Plain numbers by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, float]) -> HighValueRule:
        """Inverse of `to_json`."""
        return cls(float(values["share"]), float(values["threshold"]))


def is_high_value(rule: HighValueRule, spend_per_active_year: Vector) -> Mask:
    """Which customers are of high value; who never spent anything is not. Shape (n_customers,)."""
    return (spend_per_active_year >= rule.threshold) & (spend_per_active_year > 0)


def spend_per_active_year(models: ValueModels, rfm: Rfm) -> Vector:
    """Spend per year each customer is expected to bring while active.

    Purchase rate while active x expected average value.

    Parameters
    ----------
    models
        Fitted models, in days and currency units.
    rfm
        The customers.

    Returns
    -------
    shape (n_customers,), currency units per year, 0 or more
    """
    rate = purchase_rate_while_active(models.transactions, rfm)
    return rate * DAYS_PER_YEAR * expected_average_value(models.spend, rfm.frequency, rfm.monetary_value)


def purchase_rate_while_active(params: MbgNbdParams, rfm: Rfm) -> Vector:
    r"""Orders per day of each customer's active time: the posterior mean of the purchase rate.

    If they are alive all their age was active time, else it ended with the last order:

    .. math:: P(alive) \tfrac{r+x}{\alpha+T} + [1-P(alive)] \tfrac{r+x}{\alpha+t_x}

    Returns
    -------
    shape (n_customers,), orders per day, above 0
    """
    alive = probability_alive(params, rfm.frequency, rfm.recency, rfm.T)
    orders = params.r + rfm.frequency
    return alive * orders / (params.alpha + rfm.T) + (1.0 - alive) * orders / (params.alpha + rfm.recency)


def segments(high_value: Mask, state: NDArray[np.int8]) -> NDArray[np.int8]:
    """Segment of each customer, as a position in `SEGMENTS`.

    Parameters
    ----------
    high_value : shape (n_customers,)
    state : shape (n_customers,), position in `lapse.STATES`

    Returns
    -------
    shape (n_customers,), int8

    Examples
    --------
    >>> lapsed = np.array([STATES.index("lapsed")] * 2, np.int8)
    >>> [SEGMENTS[s] for s in segments(np.array([True, False]), lapsed)]
    ['high_value_lapsed', 'standard_lapsed']
    """
    return (np.where(high_value, 0, len(STATES)) + state).astype(np.int8)
