"""How much of the spend to come the best-ranked customers hold, and how sure we are.

Not causal: people who return by themselves look best here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from recsvc.domain.arrays import Mask, Vector
from training.metrics import LEVEL, Estimate

SHARE = 0.2  # of the customers that a campaign reaches
CURVE_SHARES: Final = tuple(step / 20 for step in range(21))  # at which a gains curve is drawn
RESAMPLES = 500
CELLS = 2_000_000  # weights held at once


@dataclass(frozen=True, slots=True)
class Ranked:
    """Customers of one cut-off, how each ordering scores them, and what they then spent.

    Attributes
    ----------
    customer_ids : length n_customers
    scores : by ordering, shape (n_customers,), the highest first
    value : shape (n_customers,), currency units within the horizon
    """

    customer_ids: tuple[str, ...]
    scores: Mapping[str, Vector]
    value: Vector

    def of(self, members: Mask) -> Ranked:
        """Some of the customers."""
        ids = tuple(self.customer_ids[position] for position in np.flatnonzero(members))
        return Ranked(ids, {name: score[members] for name, score in self.scores.items()}, self.value[members])


def captured(score: Vector, value: Vector, weights: Vector) -> Vector:
    """Spend of the top 20 % by score; customers alike at the edge share the last places.

    Parameters
    ----------
    score, value : shape (n_customers,)
    weights : shape (n_samples, n_customers), 0 or more
        How often each customer is in each sample.

    Returns
    -------
    shape (n_samples,), unit of `value`

    Examples
    --------
    Five customers, one place, and two who look alike in front.

    >>> captured(np.array([9.0, 9, 3, 2, 1]), np.array([10.0, 0, 50, 0, 0]), np.ones((1, 5)))
    array([5.])
    """
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(score[order]) != 0))
    size = np.add.reduceat(weights[:, order], starts, axis=1)
    money = np.add.reduceat(weights[:, order] * value[order], starts, axis=1)
    room = SHARE * size.sum(axis=1, keepdims=True) - (np.cumsum(size, axis=1) - size)
    inside = np.clip(room / np.where(size > 0, size, 1.0), 0.0, 1.0)
    return np.asarray((inside * money).sum(axis=1), np.float64)


def capture(cut_offs: Sequence[Ranked], name: str) -> float:
    """Share of all spend that one ordering captures, over several cut-offs; 0 where nobody spent anything."""
    total = sum(float(cut_off.value.sum()) for cut_off in cut_offs)
    caught = sum(
        float(captured(c.scores[name], c.value, np.ones((1, len(c.value))))[0]) for c in cut_offs if len(c.value)
    )
    return caught / total if total > 0 else 0.0


def gains(cut_offs: Sequence[Ranked], name: str) -> tuple[float, ...]:
    """Share of all spend held by the best of one ordering, at each of `CURVE_SHARES` of the customers.

    Each cut-off is reached to the same share, so at `SHARE` this is `capture`. Customers alike share their places.

    Examples
    --------
    >>> four = Ranked(("a", "b", "c", "d"), {"it": np.array([4.0, 3, 2, 1])}, np.array([6.0, 2, 0, 0]))
    >>> gains([four], "it")[5], gains([four], "it")[10]
    (0.75, 1.0)
    """
    caught = sum((_money_curve(c.scores[name], c.value) for c in cut_offs if len(c.value)), np.zeros(len(CURVE_SHARES)))
    return tuple(float(money / caught[-1]) if caught[-1] > 0 else 0.0 for money in caught)


def _money_curve(score: Vector, value: Vector) -> Vector:
    """Spend of the best by score, at each of `CURVE_SHARES` of the customers."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    money = np.cumsum(value[order])[ends]
    reached = np.append(0.0, (ends + 1) / len(value))
    return np.asarray(np.interp(CURVE_SHARES, reached, np.append(0.0, money)), np.float64)


def capture_samples(cut_offs: Sequence[Ranked], names: Sequence[str], seed: int = 7) -> dict[str, Vector]:
    """The same share in samples of the customers, each drawn with all their cut-offs; shape (RESAMPLES,) by ordering.

    All orderings share their samples, so differences are paired.
    """
    caught = {name: np.zeros(RESAMPLES) for name in names}
    total = np.zeros(RESAMPLES)
    for samples, weights in _draws(cut_offs, seed):
        for cut_off, weight in zip(cut_offs, weights, strict=True):
            total[samples] += weight @ cut_off.value
            for name in names:
                caught[name][samples] += captured(cut_off.scores[name], cut_off.value, weight)
    return {name: money / np.where(total > 0, total, 1.0) for name, money in caught.items()}


def interval(mean: float, samples: Vector) -> Estimate:
    """An estimate with its 95 % percentile interval."""
    low, high = np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(mean, float(low), float(high))


def _draws(cut_offs: Sequence[Ranked], seed: int) -> Iterator[tuple[slice, list[Vector]]]:
    """Weights of the customers of each cut-off, some samples at a time."""
    everybody, position = np.unique(
        np.array([one for cut_off in cut_offs for one in cut_off.customer_ids], object).astype(str), return_inverse=True
    )
    whose = np.split(position, np.cumsum([len(cut_off.value) for cut_off in cut_offs])[:-1])
    rng, n, at_once = np.random.default_rng(seed), len(everybody), max(CELLS // len(everybody), 1)
    for start in range(0, RESAMPLES, at_once):
        size = min(at_once, RESAMPLES - start)
        drawn = rng.multinomial(n, np.full(n, 1 / n), size).astype(np.float64)
        yield slice(start, start + size), [drawn[:, members] for members in whose]
