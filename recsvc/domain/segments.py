"""Who is worth winning back: high value by spend *while active*, and segments of value x state.

What is left to expect of a lapsed customer is low by construction and would hide exactly the people this
engine is for, so value is judged by the rhythm and the spend of their active time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Mask, Vector
from recsvc.domain.lapse import STATES
from recsvc.domain.parameters import read_numbers
from recsvc.domain.rfm import Rfm
from recsvc.domain.value_models import DAYS_PER_YEAR, ValueModels, average_value
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
    def from_json(cls, values: Mapping[str, Any]) -> HighValueRule:  # Any: read from JSON
        """Inverse of `to_json`."""
        return cls(**read_numbers("high value rule", values, cls.__slots__))


def is_high_value(rule: HighValueRule, spend_per_active_year: Vector) -> Mask:
    """Which customers are of high value; who never spent anything is not. Shape (n_customers,)."""
    return (spend_per_active_year >= rule.threshold) & (spend_per_active_year > 0)


def spend_per_active_year(models: ValueModels, rfm: Rfm, lapsed_after_days: Vector | None = None) -> Vector:
    r"""Spend per year each customer is expected to bring while active.

    Purchase rate while active x expected average value. Active time ends with the personal clock's `lapsed`:
    silence says something of the rhythm until then, and of absence afterwards, so value does not fade while a
    customer stays away.

    .. math:: \tfrac{r+x}{\alpha+\min(T,\,t_x+\text{lapsed after})} \cdot 365 \cdot E(M)

    Parameters
    ----------
    models
        Fitted models, in days and currency units.
    rfm
        The customers.
    lapsed_after_days : shape (n_customers,), days, above 0
        Silence after which each customer counts as lapsed (`lapse.lapsed_after_days`); None where there is no
        clock, and then all of a customer's age counts as active time.

    Returns
    -------
    shape (n_customers,), currency units per year, 0 or more

    Examples
    --------
    Two orders 50 days apart, then silence for 300 days, or for 3,000: worth the same when won back.

    >>> from recsvc.domain.value_models import GammaGammaParams, MbgNbdParams
    >>> models = ValueModels(MbgNbdParams(1.0, 50.0, 1.0, 2.0), GammaGammaParams(6.0, 4.0, 15.0, 30.0))
    >>> one, fifty, ages = np.array([1.0, 1.0]), np.array([50.0, 50.0]), np.array([350.0, 3050.0])
    >>> customers = Rfm(one, fifty, ages, monetary_value=np.array([30.0, 30.0]), first_value=np.array([9.0, 9.0]))
    >>> spend_per_active_year(models, customers, lapsed_after_days=np.array([100.0, 100.0]))
    array([109.5, 109.5])
    """
    silence = rfm.T - rfm.recency
    active_days = rfm.recency + (silence if lapsed_after_days is None else np.minimum(silence, lapsed_after_days))
    orders_per_day = (models.transactions.r + rfm.frequency) / (models.transactions.alpha + active_days)
    return orders_per_day * DAYS_PER_YEAR * average_value(models, rfm)


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


def segment_name(high_value: bool, state: int) -> str:
    """Segment of one customer; `state` is a position in `lapse.STATES`."""
    return SEGMENTS[(0 if high_value else len(STATES)) + state]
