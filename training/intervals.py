"""How sure the value models are: bootstrap intervals by customer for their parameters and for total CLV.

A resample draws customers with replacement, which only changes the weights of distinct observations; both models are
fitted to it anew from the estimate, and total CLV is added up anew. Of large shops a sample of customers is
resampled and its spread, on the logarithmic scale, shrunk by the root of their numbers (m out of n), so the cost is
bounded and the interval still that of all customers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from recsvc.domain.arrays import Vector
from recsvc.domain.profiles import Economics
from recsvc.domain.rfm import Rfm
from recsvc.domain.value_models import GammaGammaParams, ValueModels, clv
from training.distinct import Distinct, distinct
from training.errors import FitDidNotConverge
from training.likelihoods import gamma_gamma
from training.maximum_likelihood import refine
from training.spend import GAMMA_GAMMA
from training.transactions import RECIPES, from_scaled

RESAMPLES = 200
MAX_CUSTOMERS = 5_000
LEVEL = 0.95
TINY = 1e-12  # in place of a sum of weights that is 0
ENOUGH = 0.5  # share of resamples that have to fit


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval, in the unit of what is estimated."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ValueIntervals:
    """Intervals by name (`transactions.r`, `spend.p`, `clv_total`, ...); without any, `reason` says why."""

    reason: str = ""
    n_customers: int = 0
    resamples: int = 0
    intervals: Mapping[str, Interval] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:  # Any: JSON values of several kinds
        """Plain values by name."""
        return asdict(self)


def sampled(rfm: Rfm) -> Rfm:
    """Customers to resample, spread evenly over all."""
    step = -(-len(rfm) // MAX_CUSTOMERS)
    return Rfm(**{column.name: getattr(rfm, column.name)[::step] for column in fields(rfm)})


def value_intervals(
    sample: Rfm, n_customers: int, models: ValueModels, economics: Economics, clv_total: float, seed: int = 7
) -> ValueIntervals:
    """Resample customers and fit both models again, many times.

    Parameters
    ----------
    sample
        Customers to resample, from `sampled`.
    n_customers
        How many there are in all.
    models, clv_total
        The estimates, of all customers; neither model a fallback.
    economics
        How CLV is counted.
    seed
        Of the resamples.
    """
    shop = _Shop(sample, models, economics)
    with threadpool_limits(1, user_api="blas"):
        try:
            centre = shop.fit(shop.table.weight, shop.scaled(models))
        except FitDidNotConverge as problem:
            return ValueIntervals(str(problem), len(sample))
        drawn = np.stack([centre, *shop.resampled(np.random.default_rng(seed), centre)])[1:]
    if len(drawn) < ENOUGH * RESAMPLES:
        return ValueIntervals(f"only {len(drawn)} of {RESAMPLES} resamples fit", len(sample), len(drawn))
    tails = ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0)
    spread = np.quantile(drawn - centre, tails, axis=0) * np.sqrt(len(sample) / n_customers)
    estimates = {**shop.named(models), "clv_total": clv_total}
    intervals = {
        name: Interval(value, float(value * np.exp(low)), float(value * np.exp(high)))
        for (name, value), low, high in zip(estimates.items(), *spread, strict=True)
    }
    return ValueIntervals("", len(sample), len(drawn), intervals)


class _Shop:
    """The sampled customers, deduplicated once, and how to fit everything to any weights of them."""

    def __init__(self, sample: Rfm, models: ValueModels, economics: Economics) -> None:
        self.table = distinct(sample.frequency, sample.recency, sample.T, sample.monetary_value, sample.first_value)
        self.n_customers = len(sample)
        self._rfm = Rfm(self.table.counts[self.table.level], *self.table.columns)
        self._recipe, self._economics = RECIPES[models.transactions.NAME], economics
        self._scale, self._median = float(sample.T.mean()), models.spend.median
        self._paid = np.flatnonzero((self._rfm.frequency > 0) & (self._rfm.monetary_value > 0))
        self._counts_first_order = models.counts_first_order
        self._paid_counts, self._paid_level = np.unique(self._rfm.frequency[self._paid], return_inverse=True)

    def named(self, models: ValueModels) -> dict[str, float]:
        """Parameters by name, in the order they are fitted in; the median is not fitted."""
        spend = {name: value for name, value in models.spend.to_json().items() if name != "median"}
        parts = (("transactions", models.transactions.to_json()), ("spend", spend))
        return {f"{part}.{name}": value for part, values in parts for name, value in values.items()}

    def scaled(self, models: ValueModels) -> Vector:
        """Logarithms of the parameters, in scaled time and money."""
        values = np.array(list(self.named(models).values()))
        values[list(self._recipe.times)] /= self._scale
        values[-1] /= self._median
        return np.asarray(np.log(values), np.float64)

    def resampled(self, rng: np.random.Generator, centre: Vector) -> Iterator[Vector]:
        """Yield what `fit` finds on every resample that can be fitted."""
        for _ in range(RESAMPLES):
            weight = rng.multinomial(self.n_customers, self.table.weight) / self.n_customers
            try:
                yield self.fit(weight, centre)
            except FitDidNotConverge:
                continue

    def fit(self, weight: Vector, start: Vector) -> Vector:
        """Logarithms of the parameters, scaled, and of mean CLV, from a start as close as `centre` or `scaled`."""
        recipe, orders = self._recipe, len(self._recipe.parameters)
        begin = np.exp(start)
        transactions = refine(recipe.name, recipe.likelihood, self._transactions(weight), begin[:orders]).values
        spend = refine(GAMMA_GAMMA, gamma_gamma, self._spend(weight), begin[orders : orders + 3]).values
        p, q, v = map(float, spend)
        params = GammaGammaParams(p, q, v * self._median, self._median)
        models = ValueModels(from_scaled(recipe, transactions, self._scale), params, self._counts_first_order)
        mean_clv = float(weight @ self._clv(models))
        return np.asarray(np.log([*transactions, *spend, mean_clv]), np.float64)

    def _clv(self, models: ValueModels) -> Vector:
        economics = self._economics
        return clv(models, self._rfm, economics.clv_horizon_days, economics.margin, economics.discount_rate)

    def _transactions(self, weight: Vector) -> Distinct:
        recency, age, *_ = self.table.columns
        return Distinct(self.table.counts, self.table.level, (recency, age), weight).scaled(self._scale)

    def _spend(self, weight: Vector) -> Distinct:
        weight, value = weight[self._paid], self.table.columns[2][self._paid] / self._median
        return Distinct(self._paid_counts, self._paid_level, (value,), weight / max(float(weight.sum()), TINY))
