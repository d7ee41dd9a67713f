"""Whether P(return) means what it says: predicted against actual, in bins of customers alike.

Expected calibration error is the mean distance of the two over bins of equal size. A season that returns more, or less,
than the past moves all bins one way; `ece_at_level` is what is left when the log odds are shifted to the actual mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from recsvc.domain.arrays import Counts, Mask, Vector
from recsvc.domain.proportions import wilson
from training.words import percent

BINS = 10
FLOOR = 1e-9
LOGITS = 60.0
CALIBRATED = 0.05  # expected calibration error up to which P(return) is taken at its word
BY_CHANCE = 2  # of ten intervals of 95 %, three miss in one case of a hundred


@dataclass(frozen=True, slots=True)
class Bin:
    """Customers of about the same predicted probability, with the 95 % interval of the share that returned."""

    n: int
    predicted: float
    actual: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibration of one group of customers.

    Attributes
    ----------
    predicted, actual : mean probability, and share that returned
    ece, ece_at_level : expected calibration error, as it is and with the season's level taken out
    """

    group: str
    n: int
    predicted: float
    actual: float
    ece: float
    ece_at_level: float
    bins: tuple[Bin, ...]


def calibration(group: str, predicted: Vector, returned: Mask, whose: Counts | None = None) -> Calibration:
    """Calibration of one group of at least one customer.

    Parameters
    ----------
    predicted : shape (n,), in [0, 1]
    returned : shape (n,)
    whose : shape (n,), number of the customer
        Customers count at every cut-off they were asked about, but no more than once for an interval. None: all differ.

    Examples
    --------
    >>> found = calibration("all", np.array([0.2, 0.2, 0.6, 0.6]), np.array([False, False, True, True]))
    >>> found.actual, round(found.ece, 3)
    (0.5, 0.3)
    """
    actual = returned.astype(np.float64)
    customers = np.arange(len(predicted)) if whose is None else whose
    bins = _bins(predicted, actual, customers)
    return Calibration(
        group=group,
        n=len(predicted),
        predicted=float(predicted.mean()),
        actual=float(actual.mean()),
        ece=_error(bins),
        ece_at_level=_error(_bins(_at_level(predicted, float(actual.mean())), actual, customers)),
        bins=tuple(bins),
    )


def in_words(found: Calibration) -> str:
    """What a calibration means for whoever plans with P(return): right, moved by the season, or wrong."""
    said = f"{percent(found.predicted)} were expected to return, {percent(found.actual)} did"
    misses = sum(not one.low <= one.predicted <= one.high for one in found.bins)
    if found.ece <= CALIBRATED or misses <= BY_CHANCE:
        return f"{said}: P(return) means what it says (error {found.ece:.3f})"
    if found.ece_at_level <= CALIBRATED:
        return (
            f"{said}: the season moved everybody alike. With its level taken out the error is "
            f"{found.ece_at_level:.3f}, not {found.ece:.3f}: who is likelier than whom stands, how many return does not"
        )
    return f"{said}: P(return) is off by {found.ece:.3f} on average; use the order, not the percentages"


def _bins(predicted: Vector, actual: Vector, whose: Counts) -> list[Bin]:
    parts: list[Counts] = np.array_split(np.argsort(predicted, kind="stable"), BINS)
    return [_bin(predicted[who], actual[who], whose[who]) for who in parts if len(who)]


def _bin(predicted: Vector, actual: Vector, whose: Counts) -> Bin:
    share = float(actual.mean())
    return Bin(len(actual), float(predicted.mean()), share, *wilson(share, _effective_size(actual - share, whose)))


def _effective_size(residual: Vector, whose: Counts) -> float:
    """How many independent customers the answers are worth: n over the design effect of clusters (Kish 1965)."""
    cluster = np.unique(whose, return_inverse=True)[1]
    alone, together = float(residual @ residual), float(np.sum(np.bincount(cluster, residual) ** 2))
    n_customers = int(cluster.max()) + 1
    return max(len(residual) * alone / together, 1.0) if together > alone else float(n_customers)


def _error(bins: list[Bin]) -> float:
    return sum(one.n * abs(one.predicted - one.actual) for one in bins) / sum(one.n for one in bins)


def _at_level(predicted: Vector, mean: float) -> Vector:
    """Probabilities shifted on the log-odds scale so that their mean is right."""
    odds = logit(np.clip(predicted, FLOOR, 1 - FLOOR))
    wanted = min(max(mean, FLOOR), 1 - FLOOR)
    shift = brentq(lambda by: float(expit(odds + by).mean()) - wanted, -LOGITS, LOGITS)
    return np.asarray(expit(odds + shift), np.float64)
