"""Offers under a budget for a million customers, against HiGHS on a sample of them: it takes too long for all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, kron, vstack

from recsvc.domain.budget import Table, choose
from recsvc.domain.group_budget import choose_by_group
from tests.benchmarks.ratio import Ratio, median_seconds

N_CUSTOMERS, N_OFFERS, N_GROUPS, N_SAMPLE = 1_000_000, 4, 15, 2_000
SPENT = 0.1  # of what offering everything to everybody costs


def measure() -> Iterator[Ratio]:
    """An offer for each customer, and one for each of 15 groups."""
    rng = np.random.default_rng(7)
    shape = N_CUSTOMERS, N_OFFERS
    spend = np.sort(rng.gamma(1.0, 3.0, shape), axis=1)
    profit = np.sort(rng.normal(3.0, 4.0, shape), axis=1) * rng.uniform(0.2, 1.0, shape)
    allowed, group = np.ones(shape, bool), rng.integers(0, N_GROUPS, N_CUSTOMERS)
    budget = SPENT * float(spend.sum())
    exact = median_seconds(lambda: _milp(profit[:N_SAMPLE], spend[:N_SAMPLE]))
    against = f"HiGHS, {N_SAMPLE:,} of them"
    each = median_seconds(lambda: choose(profit, spend, allowed, budget))
    yield Ratio(f"offers under a budget, {N_CUSTOMERS:,} customers x {N_OFFERS}", against, each, exact)
    common = median_seconds(lambda: choose_by_group(profit, spend, allowed, group, N_GROUPS, budget), runs=1)
    yield Ratio(f"the same, one offer for each of {N_GROUPS} groups", against, common, exact)


def _milp(profit: Table, spend: Table) -> None:
    n_customers, n_offers = profit.shape
    one_each = kron(eye_array(n_customers), np.ones((1, n_offers)))
    most = np.append(SPENT * spend.sum(), np.ones(n_customers))
    limits = LinearConstraint(vstack([csr_array(spend.ravel()[None]), one_each]), -np.inf, most)
    milp(-profit.ravel(), constraints=limits, bounds=Bounds(0, 1), integrality=np.ones(profit.size, np.int64))
