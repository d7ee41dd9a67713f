"""Whether P(return) means what it says: predicted against actual, in bins of customers alike.

Expected calibration error is the mean distance of the two over bins of equal size. A season that returns more, or less,
than the past moves all bins one way; `ece_at_level` is what is left when the log odds are shifted to the actual mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from recsvc.domain.arrays import Counts, Mask, Vector

BINS = 10
FLOOR = 1e-9
LOGITS = 60.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Customers of about the same predicted probability."""

    n: int
    predicted: float
    actual: float


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


def calibrations(groups: Mapping[str, tuple[Vector, Mask]]) -> list[Calibration]:
    """Calibration of predictions and outcomes by group; groups without anybody are left out."""
    return [calibration(name, *pair) for name, pair in groups.items() if len(pair[0])]


def calibration(group: str, predicted: Vector, returned: Mask) -> Calibration:
    """Calibration of one group of at least one customer.

    Examples
    --------
    >>> found = calibration("all", np.array([0.2, 0.2, 0.6, 0.6]), np.array([False, False, True, True]))
    >>> found.actual, round(found.ece, 3)
    (0.5, 0.3)
    """
    actual = returned.astype(np.float64)
    return Calibration(
        group=group,
        n=len(predicted),
        predicted=float(predicted.mean()),
        actual=float(actual.mean()),
        ece=_error(_bins(predicted, actual)),
        ece_at_level=_error(_bins(_at_level(predicted, float(actual.mean())), actual)),
        bins=tuple(_bins(predicted, actual)),
    )


def _bins(predicted: Vector, actual: Vector) -> list[Bin]:
    parts: list[Counts] = np.array_split(np.argsort(predicted, kind="stable"), BINS)
    return [Bin(len(who), float(predicted[who].mean()), float(actual[who].mean())) for who in parts if len(who)]


def _error(bins: list[Bin]) -> float:
    return sum(one.n * abs(one.predicted - one.actual) for one in bins) / sum(one.n for one in bins)


def _at_level(predicted: Vector, mean: float) -> Vector:
    """Probabilities shifted on the log-odds scale so that their mean is right."""
    odds = logit(np.clip(predicted, FLOOR, 1 - FLOOR))
    wanted = min(max(mean, FLOOR), 1 - FLOOR)
    shift = brentq(lambda by: float(expit(odds + by).mean()) - wanted, -LOGITS, LOGITS)
    return np.asarray(expit(odds + shift), np.float64)
