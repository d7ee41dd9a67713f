"""Offers under a budget: against an exact solver, and what always holds."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, kron, vstack

from recsvc.domain.budget import FEW, Choice, choose
from recsvc.domain.group_budget import choose_by_group

Table = np.ndarray


def random_case(seed: int, n_customers: int | None = None) -> tuple[Table, Table, Table, float]:
    rng = np.random.default_rng(seed)
    shape = n_customers or int(rng.integers(2, 400)), int(rng.integers(1, 5))
    spend = np.sort(rng.gamma(1.0, 3.0, shape), axis=1)
    profit = np.sort(rng.normal(3.0, 4.0, shape), axis=1) * rng.uniform(0.2, 1.0, shape)
    return profit, spend, rng.random(shape) < 0.9, float(spend.sum() * rng.uniform(0.02, 0.4))


def best_profit(profit: Table, spend: Table, allowed: Table, budget: float) -> float:
    n_customers, n_offers = profit.shape
    one_each = kron(eye_array(n_customers), np.ones((1, n_offers)))
    limits = LinearConstraint(vstack([csr_array(spend.ravel()[None]), one_each]), -np.inf, [budget] + [1] * n_customers)
    bounds = Bounds(0, allowed.ravel().astype(float))
    return float(-milp(-profit.ravel(), constraints=limits, bounds=bounds, integrality=1).fun)


def total(table: Table, choice: Choice) -> float:
    return float(table[choice.chosen, choice.offer[choice.chosen]].sum())


@pytest.mark.parametrize("seed", range(50))
def test_offers_earn_within_one_percent_of_the_exact_optimum(seed: int) -> None:
    profit, spend, allowed, budget = random_case(seed)
    found = choose(profit, spend, allowed, budget)
    assert total(profit, found) >= 0.99 * best_profit(profit, spend, allowed, budget)


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, FEW + 50), st.booleans())
def test_spend_stays_within_the_budget_and_only_what_pays_and_is_allowed_is_offered(
    seed: int, n_customers: int, by_group: bool
) -> None:
    profit, spend, allowed, budget = random_case(seed, n_customers)
    group = np.arange(n_customers) % 3
    found = choose_by_group(profit, spend, allowed, group, 3, budget)[0] if by_group else None
    found = found or choose(profit, spend, allowed, budget)
    assert total(spend, found) <= budget * (1 + 1e-9)
    assert (profit[found.chosen, found.offer[found.chosen]] > 0).all()
    assert allowed[found.chosen, found.offer[found.chosen]].all()


def test_nobody_is_chosen_without_money_and_everybody_who_pays_with_enough() -> None:
    profit, spend, allowed, _ = random_case(7, 100)
    assert not choose(profit, spend, allowed, 0.0).chosen.any()
    rich = choose(profit, spend, allowed, 1e9)
    assert total(profit, rich) == pytest.approx(np.where(allowed, np.maximum(profit, 0), 0).max(axis=1).sum())


@pytest.mark.parametrize("n_customers", [60, 2_000])
@pytest.mark.parametrize("seed", range(10))
def test_offers_of_groups_earn_what_trying_all_combinations_earns(seed: int, n_customers: int) -> None:
    profit, spend, allowed, budget = random_case(seed, n_customers)
    group = np.random.default_rng(seed).integers(0, 3, n_customers)
    rows = np.arange(n_customers)
    best = 0.0
    for offers in product(range(profit.shape[1]), repeat=3):
        mine = np.array(offers)[group]
        one = choose(profit[rows, mine, None], spend[rows, mine, None], allowed[rows, mine, None], budget)
        best = max(best, float(profit[rows, mine][one.chosen].sum()))
    found, offers_found = choose_by_group(profit, spend, allowed, group, 3, budget)
    assert total(profit, found) >= 0.99 * best
    assert (found.offer == offers_found[group]).all()


def test_groups_without_anybody_or_money_are_offered_nothing() -> None:
    profit, spend, allowed, budget = random_case(3, 80)
    some = np.ones(80, np.int64)
    assert not choose_by_group(-np.abs(profit), spend, allowed, some, 3, budget)[0].chosen.any()
    assert not choose_by_group(profit, spend, allowed, some, 3, 0.0)[0].chosen.any()
    found, offers = choose_by_group(profit, spend, allowed, some, 3, budget)
    assert found.chosen.any()
    assert offers.shape == (3,)


def test_what_costs_nothing_needs_no_budget() -> None:
    profit, group = np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([0, 1])
    found, offers = choose_by_group(profit, np.zeros((2, 2)), np.ones((2, 2), bool), group, 2, 0.0)
    assert found.chosen.all()
    assert offers.tolist() == [1, 0]
