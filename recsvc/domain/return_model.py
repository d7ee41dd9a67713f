r"""Whether lapsed customers return by themselves, and what they then spend: the fitted numbers, and how to apply them.

.. math:: \text{value of contact} = P(\text{return within H} \mid x) \cdot E[\text{margin over H} \mid \text{return}, x]

Not causal: both factors describe people whom nobody contacted. Nothing is fitted here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.special import expit

from recsvc.domain.arrays import Vector
from recsvc.domain.customer_features import FEATURE_NAMES
from recsvc.domain.parameters import REFIT, read_numbers
from recsvc.errors import DataError

LEARNED, PAST_SPEND, BTYD = "learned", "past_spend", "btyd"
ORDERINGS: Final = (LEARNED, PAST_SPEND, BTYD)
RANK_AVERAGE = "rank_average"  # in files of earlier releases: an order whose figures were the learned ones
WHAT = "return_model.json"
FARTHEST = 4.0  # standard deviations; a feature beyond what training saw says no more than this
VECTORS = ("mean", "scale", "return_weight", "value_weight")
NUMBERS = ("return_intercept", "level", "slope", "value_intercept", "smearing", "largest")


@dataclass(frozen=True, slots=True)
class ReturnModel:
    """A ridge logistic regression of returning and a ridge regression of log value, on the same standardised features.

    Attributes
    ----------
    mean, scale : shape (n_features,); `scale` above 0
    return_weight, return_intercept : linear predictor of returning, before calibration
    level, slope : calibration, P = expit(level + slope x predictor); `slope` above 0
    value_weight, value_intercept : linear predictor of log value, in log currency units
    smearing : above 0
        Mean of value over exp(predictor): the exponential of a mean logarithm is too low a mean.
    largest : currency units, above 0
        The most anybody in training was worth; no prediction goes beyond.

    References
    ----------
    Duan (1983), Smearing Estimate: A Nonparametric Retransformation Method, JASA 78(383)
    """

    mean: Vector
    scale: Vector
    return_weight: Vector
    return_intercept: float
    level: float
    slope: float
    value_weight: Vector
    value_intercept: float
    smearing: float
    largest: float

    def __post_init__(self) -> None:
        vectors = [getattr(self, name) for name in VECTORS]
        if any(vector.shape != (len(FEATURE_NAMES),) for vector in vectors):
            raise DataError(WHAT, f"it does not hold {len(FEATURE_NAMES)} numbers a vector", REFIT)
        finite = np.isfinite([*np.concatenate(vectors), *(getattr(self, name) for name in NUMBERS)]).all()
        positive = min(self.scale.min(), self.slope, self.smearing, self.largest) > 0
        if not (finite and positive):
            raise DataError(WHAT, "numbers must be finite, and scale, slope, smearing and largest above 0", REFIT)

    def probability_of_return(self, features: Vector) -> Vector:
        """P(at least one order within the horizon); shape (n_customers,), in [0, 1]."""
        predictor = linear_predictor(self.standardised(features), self.return_weight, self.return_intercept)
        return np.asarray(expit(self.level + self.slope * predictor), np.float64)

    def value_given_return(self, features: Vector) -> Vector:
        """Spend expected over the horizon of somebody who returns; shape (n_customers,), currency units."""
        predictor = linear_predictor(self.standardised(features), self.value_weight, self.value_intercept)
        return np.minimum(np.exp(np.minimum(predictor, np.log(self.largest))) * self.smearing, self.largest)

    def standardised(self, features: Vector) -> Vector:
        """Features in standard deviations from the mean of training; shape as `features`, within +-`FARTHEST`."""
        return standardised(features, self.mean, self.scale)

    def to_json(self) -> dict[str, Any]:  # JSON of numbers and lists
        """Plain data that `from_json` reads back."""
        vectors = {name: getattr(self, name).tolist() for name in VECTORS}
        return {"features": list(FEATURE_NAMES), **vectors, **{name: getattr(self, name) for name in NUMBERS}}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ReturnModel:  # Any: read from JSON
        """Inverse of `to_json`.

        Raises
        ------
        DataError
            If it was fitted on other features than this release computes, or a number is missing or impossible.
        """
        if tuple(values.get("features", ())) != FEATURE_NAMES:
            raise DataError(WHAT, "it was fitted on other features than this release computes", REFIT)
        try:
            vectors = {name: np.array(values[name], np.float64) for name in VECTORS}
        except (KeyError, TypeError, ValueError) as problem:
            raise DataError(WHAT, f"a vector is missing or not of numbers: {problem}", REFIT) from None
        fields: dict[str, Any] = {**vectors, **read_numbers(WHAT, values, NUMBERS)}  # arrays and floats by name
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Targeting:
    """How the win-back list is ordered, and by whose figures.

    Attributes
    ----------
    ordering : one of `ORDERINGS`
    returns : what the customers' figures come from, whichever of the other two orders the list
        None where there was too little past to learn from: BTYD stands in, for the figures and for the order.
    reason : why this ordering, in one sentence
    """

    ordering: str
    returns: ReturnModel | None
    reason: str

    def __post_init__(self) -> None:
        if self.ordering not in ORDERINGS or (self.returns is None) != (self.ordering == BTYD):
            raise DataError(WHAT, f"the win-back list cannot be ordered by {self.ordering!r}", REFIT)

    def to_json(self) -> dict[str, Any]:  # JSON
        """Content of `return_model.json`."""
        model = None if self.returns is None else self.returns.to_json()
        return {"ordering": self.ordering, "reason": self.reason, "model": model}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Targeting:  # Any: read from JSON
        """Inverse of `to_json`; of an earlier release, what shows the customers the figures they had.

        Raises
        ------
        DataError
            As in `ReturnModel.from_json`, or if the ordering is unknown.
        """
        ordering, model = str(values.get("ordering")), values.get("model")
        returns = None if model is None or ordering == BTYD else ReturnModel.from_json(model)
        return cls(LEARNED if ordering == RANK_AVERAGE else ordering, returns, str(values.get("reason", "")))


def btyd_targeting(reason: str) -> Targeting:
    """Order by BTYD x Gamma-Gamma: the stand-in wherever there is nothing learned."""
    return Targeting(BTYD, None, reason)


def standardised(features: Vector, mean: Vector, scale: Vector) -> Vector:
    """Features in standard deviations from a mean, clipped; shape as `features`."""
    return np.clip((features - mean) / scale, -FARTHEST, FARTHEST)


def linear_predictor(standard: Vector, weight: Vector, intercept: float) -> Vector:
    """Intercept and weighted features of each customer; shape (n_customers,).

    Added up column by column, so that a customer's figure does not depend on who else is asked about.
    """
    total = np.full(len(standard), intercept)
    for column, factor in zip(standard.T, weight, strict=True):
        total = total + column * factor
    return total
