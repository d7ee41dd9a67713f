"""How much more often a reason applies to those who left than to comparable customers who stayed, and how sure that is.

Comparable is who had spent as much and been a customer as long at the order they are judged at, which lies about as far
back: without that, the season of prices looks like a reason. The difference is what a reason can explain at most; a
reason as common among those who stayed explains nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import AnyArray, Counts, Mask, Vector
from training.churn_evidence import REASONS
from training.metrics import LEVEL

ANY = "any"
BANDS = 3  # of spend, of age, and of when
ENOUGH = 30  # customers who left and have somebody to be compared with; with fewer, nothing is said
RESAMPLES = 1000
SEED = 7


@dataclass(frozen=True, slots=True)
class Explained:
    """How often a reason applies to those who left and to comparable customers who stayed; shares in [0, 1]."""

    reason: str
    lapsed_share: float
    stayed_share: float
    excess: float
    low: float
    high: float


def compare(applies: Mask, left: Mask, stayed: Mask, band: Counts, judged: Mask) -> tuple[tuple[Explained, ...], int]:
    """How often each reason applies to those who left, beyond comparable customers who stayed.

    The rate among those who stayed is weighted by the bands of those who left; bands in which nobody stayed are left
    out. Customers are resampled through the counts of their distinct cells, so the cost stays as their number grows.

    Parameters
    ----------
    applies : shape (n_customers, n_reasons)
    left, stayed : shape (n_customers,)
    band : shape (n_customers,), position of the band of spend, age and day
    judged : shape (n_reasons,)
        Reasons that have data; the others are left out.

    Returns
    -------
    tuple
        One row a reason and one for any of them, and the customers who left with somebody to compare with.
    """
    inside = left | stayed
    columns = np.column_stack([band, left, applies, applies[:, judged].any(axis=1)])[inside].astype(np.int64)
    if not len(columns):
        return (), 0
    cells, counts = np.unique(columns, axis=0, return_counts=True)
    n_compared = int(_comparable(cells, counts[None, :].astype(np.float64))[0].sum())
    if n_compared < ENOUGH:
        return (), n_compared
    drawn = np.random.default_rng(SEED).multinomial(counts.sum(), counts / counts.sum(), RESAMPLES)
    lapsed, staying = _rates(cells, counts[None, :].astype(np.float64))
    some_lapsed, some_staying = _rates(cells, drawn.astype(np.float64))
    low, high = np.quantile(some_lapsed - some_staying, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    figures = np.column_stack([lapsed[0], staying[0], lapsed[0] - staying[0], low, high])
    shown = np.append(judged, True)
    names = np.array([*REASONS, ANY])[shown].tolist()
    rows = figures[shown].tolist()
    return tuple(Explained(name, *row) for name, row in zip(names, rows, strict=True)), n_compared


def bands(columns: Mapping[str, AnyArray]) -> Counts:
    """Band of spend and age at the judged order, and of its day: thirds of those who left; shape (n_customers,)."""
    left = columns["left"]
    band = np.zeros(len(left), np.int64)
    for name in ("amount", "age_days", "day"):
        edges = np.quantile(columns[name][left], np.arange(1, BANDS) / BANDS) if left.any() else np.zeros(0)
        band = band * BANDS + np.searchsorted(edges, columns[name], side="left")
    return band


def _comparable(cells: Counts, weights: Vector) -> tuple[Vector, Vector]:
    """Customers by sample and band who left and who stayed, of bands that have both; each (n_samples, n_bands)."""
    band, left = cells[:, 0], cells[:, 1] == 1
    member = (band[:, None] == np.arange(band.max() + 1)).astype(np.float64)
    gone, here = weights @ (member * left[:, None]), weights @ (member * ~left[:, None])
    both = (gone > 0) & (here > 0)
    return gone * both, here * both


def _rates(cells: Counts, weights: Vector) -> tuple[Vector, Vector]:
    """Share to whom each reason, or any, applies: of those who left and of comparable others; a row a sample."""
    gone, here = _comparable(cells, weights)
    band, left, applies = cells[:, 0], cells[:, 1] == 1, cells[:, 2:].astype(np.float64)
    used, scale = gone > 0, gone / np.maximum(here, 1.0)
    total = np.maximum(gone.sum(axis=1, keepdims=True), 1.0)
    of_gone = (weights * left * used[:, band]) @ applies
    of_here = (weights * ~left * scale[:, band]) @ applies
    return of_gone / total, of_here / total
