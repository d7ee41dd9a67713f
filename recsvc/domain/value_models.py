"""What customers are worth: the fitted value models together, and the figures that need both of them.

The door to the value formulas. What any transaction model can answer is in `transactions`, the three models in
`mbg_nbd`, `bg_nbd` and `pareto_nbd`, spend in `gamma_gamma`. Nothing is fitted here. Time is in days and money in
currency units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.bg_nbd import BgNbdParams
from recsvc.domain.gamma_gamma import GammaGammaParams, expected_average_value
from recsvc.domain.mbg_nbd import MbgNbdParams
from recsvc.domain.pareto_nbd import ParetoNbdParams
from recsvc.domain.rfm import Rfm
from recsvc.domain.transactions import (
    TransactionModel,
    expected_purchases,
    probability_alive,
    probability_of_purchase,
)
from recsvc.errors import DataError

__all__ = [
    "BgNbdParams",
    "GammaGammaParams",
    "MbgNbdParams",
    "ParetoNbdParams",
    "TransactionModel",
    "ValueModels",
    "average_value",
    "clv",
    "expected_average_value",
    "expected_purchases",
    "probability_alive",
    "probability_of_purchase",
]

DAYS_PER_YEAR = 365.0
TRANSACTION_MODELS: dict[str, type[MbgNbdParams] | type[BgNbdParams] | type[ParetoNbdParams]] = {
    model.NAME: model for model in (MbgNbdParams, BgNbdParams, ParetoNbdParams)
}
DISCOUNT_PERIOD_DAYS = 91.25  # a quarter: against monthly discounting CLV moves by less than a thousandth


@dataclass(frozen=True, slots=True)
class ValueModels:
    """The fitted models of one bundle.

    Attributes
    ----------
    transactions, spend
        What customers order, and what their orders are worth.
    counts_first_order
        Whether the first order says something of what the later ones are worth. Gamma-Gamma is fitted on the orders
        after it, by convention; what it then expects of a customer may rest on all of them.
    """

    transactions: TransactionModel
    spend: GammaGammaParams
    counts_first_order: bool = False

    def to_json(self) -> dict[str, dict[str, str | float | bool]]:
        """Names and plain numbers, for a file."""
        return {
            "transactions": {"model": self.transactions.NAME, **self.transactions.to_json()},
            "spend": {
                "model": "gamma_gamma",
                **self.spend.to_json(),
                "counts_first_order": self.counts_first_order,
            },
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Mapping[str, Any]]) -> ValueModels:  # Any: read from JSON
        """Inverse of `to_json`.

        Raises
        ------
        DataError
            If a model is not one this release knows, or a number is missing or impossible.
        """
        transactions, spend = values.get("transactions", {}), values.get("spend", {})
        names = (transactions.get("model"), spend.get("model"))
        model = TRANSACTION_MODELS.get(str(names[0]))
        if model is None or names[1] != "gamma_gamma":
            raise DataError("value models", f"unknown models {names}", "use a release that knows them")
        counts_first = spend.get("counts_first_order", False)  # bundles from before it was asked do not hold it
        return cls(model.from_json(transactions), GammaGammaParams.from_json(spend), bool(counts_first))


def clv(models: ValueModels, rfm: Rfm, horizon_days: float, margin: float = 1.0, discount_rate: float = 0.0) -> Vector:
    """Compute what each customer is expected to be worth over the horizon: customer lifetime value.

    Expected orders x expected average value x margin; with a discount rate, orders of each quarter to come
    are discounted to the end of observation from the quarter's middle.

    Parameters
    ----------
    models
        Fitted models, in days and currency units.
    rfm
        The customers.
    horizon_days : days, 0 or more
    margin : share of the amount, 0 or more
    discount_rate : per year, above -1
        0.1 makes 110 in a year worth 100 now.

    Returns
    -------
    shape (n_customers,), currency units, 0 or more

    Raises
    ------
    DataError
        If `margin` or `discount_rate` is out of range, or as in `expected_purchases`.
    """
    if not (np.isfinite(margin) and margin >= 0 and np.isfinite(discount_rate) and discount_rate > -1):
        raise DataError("clv", f"margin {margin} must be 0 or more and discount rate {discount_rate} above -1")
    orders = _discounted_purchases(models.transactions, rfm, horizon_days, discount_rate)
    return orders * average_value(models, rfm) * margin


def average_value(models: ValueModels, rfm: Rfm) -> Vector:
    """Mean amount of each customer's future orders; shape (n_customers,), currency units, 0 or more.

    `expected_average_value` given the repeat orders, and the first one where it counts.

    Examples
    --------
    One customer has only ever ordered once, for 80; repeat orders of such shops are worth 35 on average.

    >>> once = Rfm(*(np.array([value]) for value in (0.0, 0.0, 90.0, 0.0)), first_value=np.array([80.0]))
    >>> spend = GammaGammaParams(p=6.25, q=3.74, v=15.44, median=27.0)
    >>> orders = MbgNbdParams(r=0.5, alpha=60.0, a=0.9, b=1.6)
    >>> average_value(ValueModels(orders, spend), once).round(1)
    array([35.2])
    >>> average_value(ValueModels(orders, spend, counts_first_order=True), once).round(1)
    array([66.4])
    """
    frequency, mean = rfm.frequency, rfm.monetary_value
    if models.counts_first_order:
        mean = (frequency * mean + rfm.first_value) / (frequency + 1.0)
        frequency = frequency + 1.0
    return expected_average_value(models.spend, frequency, mean)


def _discounted_purchases(params: TransactionModel, rfm: Rfm, horizon_days: float, discount_rate: float) -> Vector:
    if discount_rate == 0.0:
        return expected_purchases(params, horizon_days, rfm.frequency, rfm.recency, rfm.T)
    ends = np.append(np.arange(DISCOUNT_PERIOD_DAYS, horizon_days, DISCOUNT_PERIOD_DAYS), horizon_days)
    total = before = np.zeros(len(rfm))
    for start, end in zip(np.append(0.0, ends[:-1]), ends, strict=True):
        by_end = expected_purchases(params, float(end), rfm.frequency, rfm.recency, rfm.T)
        total = total + (by_end - before) * (1.0 + discount_rate) ** (-(start + end) / 2.0 / DAYS_PER_YEAR)
        before = by_end
    return total
