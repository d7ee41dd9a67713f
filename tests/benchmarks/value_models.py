"""Fitting the value model of a million customers, against the same fit of a tenth of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recsvc.domain.arrays import Vector
from tests.benchmarks.ratio import Ratio, median_seconds
from training.transactions import fit_mbg_nbd

N_CUSTOMERS = 1_000_000
PART = 10


def measure() -> Iterator[Ratio]:
    """Ten times the customers may take at most eleven times as long."""
    frequency, recency, age = _draw_customers()
    whole = median_seconds(lambda: fit_mbg_nbd(frequency, recency, age), runs=1)
    part = slice(N_CUSTOMERS // PART)
    tenth = median_seconds(lambda: fit_mbg_nbd(frequency[part], recency[part], age[part]), runs=1)
    yield Ratio("MBG/NBD fit, 1 M customers", "100 k customers", whole, tenth, goal=11.0)


def _draw_customers() -> tuple[Vector, Vector, Vector]:
    """Frequency, recency and age in whole days of customers who order at a gamma rate and drop out."""
    rng = np.random.default_rng(7)
    age = rng.integers(30, 720, N_CUSTOMERS).astype(np.float64)
    alive_days = np.minimum(age, rng.exponential(300, N_CUSTOMERS))
    frequency = rng.poisson(rng.gamma(0.7, 1 / 60, N_CUSTOMERS) * alive_days).astype(np.float64)
    recency = np.where(frequency > 0, np.rint(alive_days * rng.random(N_CUSTOMERS) ** (1 / (frequency + 1))), 0.0)
    return np.minimum(frequency, recency), recency, age
