"""At most one offer for each customer, so that the expected profit is highest under one budget.

The multiple-choice knapsack. Of a customer's offers only those on the upper hull of (spend, profit) can be best at any
price of money; taken in order of profit per unit of spend, steps along the hulls are filled in until the budget is
spent. That is the optimum of the relaxed problem but for the one step that no longer fits, so it falls short of the
best by less than that step's profit (Sinha & Zoltners 1979, The Multiple-Choice Knapsack Problem, Operations Research
27(3)). Among few customers one step is much: there dynamic programming over the budget looks at every combination.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Counts, Mask, Vector

Table = NDArray[np.float64]
FEW = 300  # customers; up to here every combination is looked at
NOTHING = -1
UNITS = 50_000  # parts of the budget that spend is rounded up to then


@dataclass(frozen=True, slots=True)
class Choice:
    """Who is offered something, and what.

    Attributes
    ----------
    chosen : shape (n_customers,)
    offer : shape (n_customers,), column of the offer; means nothing where not chosen
    """

    chosen: Mask
    offer: Counts


@dataclass(frozen=True, slots=True)
class Steps:
    """From one hull offer of a customer to the next dearer one; each array has shape (n_steps,)."""

    customer: Counts
    offer: Counts
    spend: Vector
    profit: Vector


def choose(profit: Table, spend: Table, allowed: NDArray[np.bool_], budget: float) -> Choice:
    """Best offer for each customer, or none, under a budget.

    Parameters
    ----------
    profit, spend : shape (n_customers, n_offers)
        Expected, in currency units; spend is at least 0.
    allowed : shape (n_customers, n_offers)
        Offers that may be made; of these only profitable ones are.
    budget : currency units
        What the expected spend sums to at most.

    Examples
    --------
    >>> profit, spend = np.array([[3.0, 5.0], [4.0, 4.5], [-1.0, -2.0]]), np.array([[1.0, 4.0], [1.0, 2.0], [1.0, 2.0]])
    >>> found = choose(profit, spend, np.ones((3, 2), bool), budget=5.0)
    >>> found.chosen.tolist(), found.offer[found.chosen].tolist()
    ([True, True, False], [1, 0])
    """
    found = _by_rate(profit, spend, allowed, budget)
    if len(profit) > FEW or budget <= 0:
        return found
    return max(found, _by_combination(profit, spend, allowed, budget), key=lambda one: _sum(profit, one))


def _sum(table: Table, choice: Choice) -> float:
    return float(table[choice.chosen, choice.offer[choice.chosen]].sum())


def _by_rate(profit: Table, spend: Table, allowed: NDArray[np.bool_], budget: float) -> Choice:
    """Steps along the hulls, the best profit per spend first."""
    steps = _hull_steps(profit, spend, allowed)
    order = np.argsort(-_rate(steps), kind="stable")
    taken = _that_fit(steps, order, budget)
    chosen, offer = np.zeros(len(profit), bool), np.zeros(len(profit), np.int64)
    chosen[steps.customer[taken]] = True
    offer[steps.customer[taken]] = steps.offer[taken]  # in order of the rate, so the dearest taken stays
    return Choice(chosen, offer)


def _rate(steps: Steps) -> Vector:
    with np.errstate(divide="ignore"):  # what costs nothing comes first
        rate: Vector = steps.profit / steps.spend
    return rate


def _hull_steps(profit: Table, spend: Table, allowed: NDArray[np.bool_]) -> Steps:
    """Steps of all customers, those of one customer falling in profit per spend.

    From the offer a customer stands at, the next is the dearer one with the highest profit per further spend: the next
    corner of the upper hull. All customers step at once, at most once an offer.
    """
    rows = np.arange(len(profit))
    at_spend, at_profit = np.zeros(len(profit)), np.zeros(len(profit))
    found = [Steps(rows[:0], rows[:0], at_spend[:0], at_profit[:0])]  # so that nobody has no steps
    while len(rows):
        more, gain = spend[rows] - at_spend[rows, None], profit[rows] - at_profit[rows, None]
        possible = allowed[rows] & (gain > 0) & (more >= 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(possible, gain / more, -1.0)
        best = _best(rate, gain)
        goes_on = possible[np.arange(len(rows)), best]
        rows, best = rows[goes_on], best[goes_on]
        found.append(Steps(rows, best, spend[rows, best] - at_spend[rows], profit[rows, best] - at_profit[rows]))
        at_spend[rows], at_profit[rows] = spend[rows, best], profit[rows, best]
    return Steps(*(np.concatenate([getattr(one, name) for one in found]) for name in Steps.__slots__))


def _best(rate: Table, gain: Table) -> Counts:
    """Column of the highest rate in each row, the largest gain among equals; shape (n_rows,)."""
    is_best = rate == rate.max(axis=1, keepdims=True)
    best: Counts = np.argmax(np.where(is_best, gain, -np.inf), axis=1)
    return best


def _that_fit(steps: Steps, order: Counts, budget: float) -> Counts:
    """Steps that are taken, in their order: all until one does not fit, then whatever still does."""
    taken: list[Counts] = []
    out = np.zeros(int(steps.customer.max(initial=-1)) + 1, bool)  # who missed a step cannot take the next
    while len(order):
        fits = int(np.searchsorted(np.cumsum(steps.spend[order]), budget, side="right"))
        taken.append(order[:fits])
        budget -= float(steps.spend[order[:fits]].sum())
        rest = order[fits:]
        out[steps.customer[rest[steps.spend[rest] > budget]]] = True
        order = rest[~out[steps.customer[rest]]]
    return np.concatenate([*taken, np.zeros(0, np.int64)]).astype(np.int64)


def _by_combination(profit: Table, spend: Table, allowed: NDArray[np.bool_], budget: float) -> Choice:
    """Best choice where every spend is rounded up to a part of the budget."""
    units = np.ceil(np.minimum(spend / budget, 2.0) * UNITS).astype(np.int64)
    worth = allowed & (profit > 0) & (units <= UNITS)
    best, picks = np.zeros(UNITS + 1), np.full((len(profit), UNITS + 1), NOTHING, np.int8)
    for customer in range(len(profit)):
        before = best.copy()
        for offer in np.flatnonzero(worth[customer]):
            price = units[customer, offer]
            with_it = before[: UNITS + 1 - price] + profit[customer, offer]
            better = with_it > best[price:]
            best[price:][better] = with_it[better]
            picks[customer, price:][better] = offer
    return _read_back(picks, units)


def _read_back(picks: NDArray[np.int8], units: Counts) -> Choice:
    left = UNITS
    offer = np.zeros(len(picks), np.int64)
    chosen = np.zeros(len(picks), bool)
    for customer in range(len(picks) - 1, -1, -1):
        pick = picks[customer, left]
        if pick != NOTHING:
            chosen[customer], offer[customer] = True, pick
            left -= units[customer, pick]
    return Choice(chosen, offer)
