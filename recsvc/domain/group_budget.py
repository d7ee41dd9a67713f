"""One offer for everybody of a group, so that the expected profit is highest under one budget.

Which of a group are contacted still follows profit per spend; which offer they get does not depend on who they are. So
each offer is worth to a group what the best of its members for the money bring: a curve of profit over spend that
flattens. Choosing one curve for each group, and how far to go along it, is a small mixed-integer programme, which HiGHS
solves; curves are drawn with a bounded number of corners, so its size does not grow with the number of customers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, vstack

from recsvc.domain.arrays import Counts, Vector
from recsvc.domain.budget import Choice, choose

Table = NDArray[np.float64]
CORNERS = 64  # of a curve, at most
PRECISION = 1e-4  # of the profit, at which the solver stops


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of all curves, from corner to corner; each array has shape (n_pieces,).

    Attributes
    ----------
    curve : group x n_offers + offer
    spend, profit : currency units, of the customers of the piece together
    """

    curve: Counts
    spend: Vector
    profit: Vector


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
    n_offers = profit.shape[1]
    pieces = _pieces(profit, spend, allowed & (profit > 0), group, n_groups)
    offers = _best_curves(pieces, n_groups, n_offers, budget)
    rows, mine = np.arange(len(profit)), offers[group]
    one = choose(profit[rows, mine, None], spend[rows, mine, None], allowed[rows, mine, None], budget)
    return Choice(one.chosen, mine), offers


def _pieces(profit: Table, spend: Table, pays: NDArray[np.bool_], group: Counts, n_groups: int) -> Pieces:
    """Curves of every group and offer: whom it pays to contact in order of profit per spend, a few at a time."""
    customer, offer = np.nonzero(pays)
    curve = group[customer] * profit.shape[1] + offer
    gain, price = profit[pays], spend[pays]
    with np.errstate(divide="ignore"):  # what costs nothing comes first
        order = np.lexsort((-gain / price, curve))
    sizes = np.bincount(curve, minlength=n_groups * profit.shape[1])
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    of_curve = curve[order]
    corner = place * np.minimum(sizes, CORNERS)[of_curve] // np.maximum(sizes, 1)[of_curve]
    key, piece = np.unique(of_curve * CORNERS + corner, return_inverse=True)
    sums = (np.bincount(piece, figure[order]).astype(np.float64) for figure in (price, gain))
    return Pieces(key // CORNERS, *sums)


def _best_curves(pieces: Pieces, n_groups: int, n_offers: int, budget: float) -> Counts:
    """Offer of each group, shape (n_groups,): of the programme in how much of each piece, and which curves, to take."""
    n, n_curves = len(pieces.curve), n_groups * n_offers
    if not n:
        return np.zeros(n_groups, np.int64)
    unit, each = budget or 1.0, np.arange(n_curves)
    within_budget = coo_array((pieces.spend / unit, (np.zeros(n, int), np.arange(n))), (1, n + n_curves))
    one_a_group = coo_array((np.ones(n_curves), (each // n_offers, n + each)), (n_groups, n + n_curves))
    rows = np.tile(np.arange(n), 2)
    columns = np.append(np.arange(n), n + pieces.curve)
    of_its_curve = coo_array((np.repeat([1.0, -1.0], n), (rows, columns)), (n, n + n_curves))
    most = np.concatenate([[budget / unit], np.ones(n_groups), np.zeros(n)])
    found = milp(
        -np.append(pieces.profit / pieces.profit.sum(), np.zeros(n_curves)),
        constraints=LinearConstraint(vstack([within_budget, one_a_group, of_its_curve]), -np.inf, most),
        bounds=Bounds(0, 1),
        integrality=np.repeat([0, 1], [n, n_curves]),
        options={"mip_rel_gap": PRECISION},
    )
    taken = np.asarray(found.x, np.float64)[n:]  # there is a solution: to take nothing is one
    best: Counts = taken.reshape(n_groups, n_offers).argmax(axis=1)
    return best
