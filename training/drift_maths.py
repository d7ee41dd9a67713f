r"""How far two samples lie apart, and how far they would by chance: the mathematics of drift, pure.

The population stability index of shares :math:`e_b` before and :math:`a_b` now over bins b is

.. math:: \mathrm{PSI} = \sum_b (a_b - e_b) \ln \tfrac{a_b}{e_b}

By convention below 0.1 nothing moved, from 0.1 something did, from 0.25 a lot did (Siddiqi). The convention knows no
sample size; of two samples of one population, PSI is chi-squared with B - 1 degrees of freedom times (1/n + 1/m)
(Yurdakul & Naranjo), so small shops would see drift every night. Here a movement has to pass both.

References
----------
Siddiqi (2006), Credit Risk Scorecards, Wiley
Yurdakul & Naranjo (2020), Statistical properties of the population stability index, Journal of Risk Model Validation
14(3)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import chi2

from recsvc.domain.arrays import Vector

MOVED, MOVED_A_LOT = 0.1, 0.25
SURE: Final = 0.99  # of what two samples of one population stay below
TENTHS: Final = tuple(step / 10 for step in range(1, 10))
FEWEST = 0.5  # customers counted in a bin of nobody, so that its logarithm exists


@dataclass(frozen=True, slots=True)
class Histogram:
    """Customers between edges that rise; a value on an edge belongs to the bin below it.

    Attributes
    ----------
    edges : length n_bins - 1, in the unit of what is counted
    counts : length n_bins
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


def histogram(values: Vector) -> Histogram:
    """Bins of about a tenth of the values each; fewer where many are alike.

    Examples
    --------
    >>> histogram(np.array([1.0, 1, 1, 1, 2, 3]))
    Histogram(edges=(1.0, 2.0), counts=(4, 1, 1))
    """
    tenths = np.unique(np.quantile(values, TENTHS, method="higher")) if len(values) else np.zeros(0)
    edges = tuple(float(edge) for edge in tenths[tenths < values.max()]) if len(tenths) else ()
    return Histogram(edges, counts_between(edges, values))


def counts_between(edges: Sequence[float], values: Vector) -> tuple[int, ...]:
    """How many values lie in each bin of these edges."""
    bins = np.searchsorted(np.asarray(edges, np.float64), values, side="left")
    return tuple(np.bincount(bins, minlength=len(edges) + 1).tolist())


def stability_index(before: Sequence[float], now: Sequence[float]) -> float:
    """Population stability index of two samples, from their counts by bin; 0 where either is empty.

    Parameters
    ----------
    before, now : length n_bins, count, 0 or more

    Examples
    --------
    >>> stability_index([50, 50], [100, 100])
    0.0
    >>> round(stability_index([50, 50], [75, 25]), 3)
    0.275
    """
    return float(contributions(before, now).sum())


def contributions(before: Sequence[float], now: Sequence[float]) -> Vector:
    """What each bin adds to the index; shape (n_bins,), 0 or more."""
    if not (sum(before) and sum(now)):
        return np.zeros(len(before))
    expected, actual = _shares(before), _shares(now)
    return np.asarray((actual - expected) * np.log(actual / expected), np.float64)


def index_by_chance(n_bins: int, n_before: float, n_now: float) -> float:
    """Index that two samples of one population stay below in 99 of 100 cases.

    Examples
    --------
    >>> round(index_by_chance(10, 500, 500), 3), round(index_by_chance(10, 50, 50), 3)
    (0.087, 0.867)
    """
    if n_bins < 2 or min(n_before, n_now) <= 0:
        return 0.0
    return float(chi2.ppf(SURE, n_bins - 1) * (1 / n_before + 1 / n_now))


def price_index(before: Mapping[str, tuple[float, float]], now: Mapping[str, tuple[float, float]]) -> float | None:
    r"""Price level of the products sold at both times, against the earlier one; None when there is no such product.

    .. math:: \ln P = \sum_i \tfrac{s_i^0 + s_i^1}{2} \ln \tfrac{p_i^1}{p_i^0}

    Parameters
    ----------
    before, now
        Money and units by item id.

    References
    ----------
    Törnqvist (1936), The Bank of Finland's consumption price index, Bank of Finland Monthly Bulletin 10

    Examples
    --------
    >>> price_index({"a": (10.0, 10.0), "b": (10.0, 5.0)}, {"a": (11.0, 10.0), "b": (22.0, 10.0), "new": (5.0, 1.0)})
    1.1
    """
    both = [item for item in before if item in now and min(*before[item], *now[item]) > 0]
    if not both:
        return None
    money = np.array([(before[item][0], now[item][0]) for item in both])
    units = np.array([(before[item][1], now[item][1]) for item in both])
    price, share = money / units, (money / money.sum(axis=0)).mean(axis=1)
    return round(float(np.exp(share @ np.log(price[:, 1] / price[:, 0]))), 12)


def _shares(counts: Sequence[float]) -> Vector:
    floored = np.maximum(np.asarray(counts, np.float64), FEWEST)
    return np.asarray(floored / floored.sum(), np.float64)
