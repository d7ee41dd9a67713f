"""Fitting and scoring customers, against `lifetimes` on the same triples, and a million against a tenth of them.

Both sides fit by maximum likelihood in this process, BLAS on one thread, and answer P(alive) and expected orders of
every customer. A row whose parameters are not those of `lifetimes` to a thousandth is no comparison, and stops the run.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from recsvc.domain.arrays import Vector
from recsvc.domain.transactions import TransactionModel, expected_purchases, probability_alive
from tests.benchmarks.ratio import Ratio, median_seconds
from training.transactions import BG_NBD, MBG_NBD, PARETO_NBD, Recipe, fit_mbg_nbd, fit_transactions

N_CUSTOMERS = 1_000_000
N_PARETO = 20_000  # `lifetimes` takes minutes for a million
PART = 10
HORIZON_DAYS = 90.0
GOAL = 1.0 / 20.0
SAME = 1e-3

Triples = tuple[Vector, Vector, Vector]


@dataclass(frozen=True, slots=True)
class Rival:
    """One of our models and the name of the class of `lifetimes` that fits the same."""

    recipe: Recipe[TransactionModel]
    theirs: str


GEOMETRIC = (Rival(BG_NBD, "BetaGeoFitter"), Rival(MBG_NBD, "ModifiedBetaGeoFitter"))
PARETO = (Rival(PARETO_NBD, "ParetoNBDFitter"),)


def measure() -> Iterator[Ratio]:
    """Ratios to `lifetimes`, and ten times the customers in at most eleven times as long."""
    customers = _draw_customers(N_CUSTOMERS)
    with threadpool_limits(1):
        yield _against_lifetimes("BG/NBD and MBG/NBD, fit and scores, 1 M customers", GEOMETRIC, customers)
        few = _draw_customers(N_PARETO)
        yield _against_lifetimes("Pareto/NBD, fit and scores, 20 k customers", PARETO, few)
    part = tuple(column[: N_CUSTOMERS // PART] for column in customers)
    whole = median_seconds(lambda: fit_mbg_nbd(*customers))
    tenth = median_seconds(lambda: fit_mbg_nbd(*part))
    yield Ratio("MBG/NBD fit, 1 M customers", "100 k customers", whole, tenth, goal=11.0)


def _against_lifetimes(what: str, rivals: tuple[Rival, ...], customers: Triples) -> Ratio:
    ours: list[list[float]] = []
    theirs: list[list[float]] = []
    seconds = median_seconds(lambda: ours.extend(_ours(rival, customers) for rival in rivals))
    baseline = median_seconds(lambda: theirs.extend(_theirs(rival, customers) for rival in rivals))
    if np.max(np.abs(np.array(ours) / np.array(theirs) - 1.0)) > SAME:
        raise RuntimeError(f"parameters differ: {ours} here, {theirs} in lifetimes")
    return Ratio(what, "lifetimes", seconds, baseline, goal=GOAL)


def _ours(rival: Rival, customers: Triples) -> list[float]:
    """Parameters; every customer is scored on the way."""
    params = fit_transactions(rival.recipe, *customers).params
    probability_alive(params, *customers)
    expected_purchases(params, HORIZON_DAYS, *customers)
    return list(params.to_json().values())


def _theirs(rival: Rival, customers: Triples) -> list[float]:
    """The same of `lifetimes`, imported here: it warns when it is, and the tests collect this module."""
    with np.errstate(all="ignore"):  # it divides by 0 on the way, and recovers
        fitter = getattr(importlib.import_module("lifetimes"), rival.theirs)()
        fitter.fit(*customers)
        fitter.conditional_probability_alive(*customers)
        fitter.conditional_expected_number_of_purchases_up_to_time(HORIZON_DAYS, *customers)
    return [float(value) for value in fitter.params_]


def _draw_customers(n_customers: int) -> Triples:
    """Frequency, recency and age, in whole days, of customers who order at one gamma rate and leave at another."""
    rng = np.random.default_rng(7)
    age = rng.integers(30, 720, n_customers).astype(np.float64)
    stayed = np.minimum(age, rng.exponential(1.0, n_customers) / rng.gamma(0.8, 1.0 / 120.0, n_customers))
    frequency = rng.poisson(rng.gamma(0.7, 1.0 / 60.0, n_customers) * stayed).astype(np.float64)
    latest = np.ceil(stayed * rng.random(n_customers) ** (1.0 / np.maximum(frequency, 1.0)))
    recency = np.where(frequency > 0, np.minimum(latest, age), 0.0)
    return np.minimum(frequency, recency), recency, age
