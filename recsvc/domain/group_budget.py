"""One offer for everybody of a group, so that the expected profit is highest under one budget.

Which of a group are contacted still follows profit per spend; which offer they get does not depend on who they are.
At a price of money every group has a best offer, whatever the others do; the best of these answers over many prices is
where a search begins that changes one group at a time as long as that pays.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Counts, Vector
from recsvc.domain.budget import Choice, choose

Table = NDArray[np.float64]
PRICES = 24  # of money, tried between free and what nobody pays
PASSES = 4  # over the groups


def choose_by_group(
    profit: Table, spend: Table, allowed: NDArray[np.bool_], group: Counts, n_groups: int, budget: float
) -> tuple[Choice, Counts]:
    """Best offer for each group, and who is contacted with it, under a budget.

    Parameters
    ----------
    profit, spend, allowed, budget
        As in `budget.choose`.
    group : shape (n_customers,), in [0, n_groups)

    Returns
    -------
    The choice, and the column of each group's offer, shape (n_groups,).

    Examples
    --------
    >>> profit, spend = np.array([[3.0, 5.0], [4.0, 4.5], [2.0, 9.0]]), np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]])
    >>> found, offers = choose_by_group(profit, spend, np.ones((3, 2), bool), np.array([0, 0, 1]), 2, budget=4.0)
    >>> found.chosen.tolist(), offers.tolist()
    ([True, True, True], [0, 1])
    """
    tried: dict[tuple[int, ...], float] = {}
    rows = np.arange(len(profit))

    def contacted(offers: Counts) -> Choice:
        mine = offers[group]
        one = choose(profit[rows, mine, None], spend[rows, mine, None], allowed[rows, mine, None], budget)
        return Choice(one.chosen, mine)

    def worth(offers: Counts) -> float:
        key = tuple(offers.tolist())
        if key not in tried:
            found = contacted(offers)
            tried[key] = float(profit[found.chosen, found.offer[found.chosen]].sum())
        return tried[key]

    best = max(_at_prices(profit, spend, allowed, group, n_groups), key=worth)
    for _ in range(PASSES):
        before = worth(best)
        for one in range(n_groups):
            best = max(_with_other_offers(best, one, profit.shape[1]), key=worth)
        if worth(best) <= before:
            break
    return contacted(best), best


def _at_prices(
    profit: Table, spend: Table, allowed: NDArray[np.bool_], group: Counts, n_groups: int
) -> Iterator[Counts]:
    """Each group's best offer at one price of money after the other."""
    for price in _prices(profit, spend, allowed):
        gain = np.where(allowed, np.maximum(profit - price * spend, 0.0), 0.0)
        by_group = np.stack([np.bincount(group, column, n_groups) for column in gain.T], axis=1)
        yield np.argmax(by_group, axis=1)


def _prices(profit: Table, spend: Table, allowed: NDArray[np.bool_]) -> Vector:
    pays = allowed & (profit > 0) & (spend > 0)
    if not pays.any():
        return np.zeros(1)
    return np.append(0.0, np.quantile(profit[pays] / spend[pays], np.linspace(0, 1, PRICES)))


def _with_other_offers(offers: Counts, group: int, n_offers: int) -> Iterator[Counts]:
    """The same offers, then with every other one for one group."""
    yield offers
    for offer in range(n_offers):
        if offer != offers[group]:
            changed = offers.copy()
            changed[group] = offer
            yield changed
