"""Maximum likelihood for models of a few positive parameters, with several starts and an honest verdict.

Works on logarithms of parameters, so that they stay positive and on one scale. The starts compete on a
sample of the distinct observations; only the best goes on to all of them, with the sample's curvature for a
guide. Knows no model: likelihoods live in `likelihoods`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from recsvc.domain.arrays import Vector
from training.ascent import Descent, Point, curvature, settle
from training.errors import FitDidNotConverge

Params = TypeVar("Params", covariant=True)
Data = TypeVar("Data")
LogLikelihood = Callable[[Vector, Data], tuple[float, Vector]]

LARGEST = 1e3  # of a scaled parameter; beyond, the likelihood is flat and it means "infinite", or 0 below the inverse
FLAT = 1e-4  # log-likelihood per customer and unit of log-parameter: the largest slope that counts as none
TIGHT = 1e-14
LOOSE = 1e-10


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """How a fit went, for the report.

    Attributes
    ----------
    model
        Name of the model.
    n_customers, n_distinct
        Customers fitted on, and how many differ.
    log_likelihood
        Sum over customers, in the units of the data; None for a fallback.
    iterations
        Of the last start, on all customers.
    at_bound
        Parameters that ran to the edge of what can be told from the data.
    fallback
        Why stated defaults stand in for a fit; empty when it was fitted.
    """

    model: str
    n_customers: int
    n_distinct: int = 0
    log_likelihood: float | None = None
    iterations: int = 0
    at_bound: tuple[str, ...] = ()
    fallback: str = ""

    def to_json(self) -> dict[str, Any]:  # Any: JSON values of several kinds
        """Plain values by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Fitted(Generic[Params]):
    """Parameters and how they were come by."""

    params: Params
    diagnostics: Diagnostics


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the likelihood is largest, in scaled units."""

    values: Vector
    mean_log_likelihood: float
    iterations: int
    at_bound: tuple[int, ...]


def maximise(
    model: str,
    log_likelihood: LogLikelihood[Data],
    data: Data,
    sample: Data,
    starts: Sequence[Sequence[float]],
) -> Optimum:
    """Find the parameters that make the data likeliest.

    Parameters
    ----------
    model
        Name for the error.
    log_likelihood
        Mean log-likelihood per customer and its gradient, at parameters and data.
    data, sample
        All observations, and few enough of them to try every start on.
    starts
        Parameters to start from, scaled so that they are of order 1.

    Raises
    ------
    FitDidNotConverge
        If no start ends where the likelihood is flat.
    """
    with threadpool_limits(1, user_api="blas"):  # the dot products are too short to share; sharing costs threefold
        tries = [_climb(log_likelihood, sample, np.log(start), LOOSE) for start in starts]
        best = min(tries, key=lambda top: top.value)
        return _judged(model, _climb_on(log_likelihood, data, sample, best.at))


def refine(model: str, log_likelihood: LogLikelihood[Data], data: Data, start: Vector) -> Optimum:
    """Find the likeliest parameters near a start that is nearly right, such as those of nearly the same data.

    Parameters
    ----------
    model, log_likelihood, data
        As in `maximise`.
    start
        Parameters to start from.

    Raises
    ------
    FitDidNotConverge
        If the climb does not end where the likelihood is flat.
    """
    return _judged(model, _climb(log_likelihood, data, np.log(start), LOOSE))


def _judged(model: str, top: Point) -> Optimum:
    at_bound = np.abs(top.at) >= np.log(LARGEST) - 1e-6
    slope = np.abs(np.where(at_bound, 0.0, top.slope))
    if not (np.isfinite(top.value) and np.max(slope, initial=0.0) < FLAT):
        raise FitDidNotConverge(model, f"the likelihood still rises after {top.steps} iterations")
    bounds = tuple(int(position) for position in np.flatnonzero(at_bound))
    return Optimum(np.exp(top.at), -top.value, top.steps, bounds)


def _climb_on(log_likelihood: LogLikelihood[Data], data: Data, sample: Data, start: Vector) -> Point:
    """Climb on all observations from the optimum of the sample: by its curvature, or else the long way."""
    bent = curvature(_descent(log_likelihood, sample), start)
    top = settle(_descent(log_likelihood, data), start, bent, float(np.log(LARGEST)), TIGHT)
    return top or _climb(log_likelihood, data, start, TIGHT)


def _climb(log_likelihood: LogLikelihood[Data], data: Data, start: Vector, tolerance: float) -> Point:
    limit = float(np.log(LARGEST))
    result = minimize(
        _descent(log_likelihood, data),
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-limit, limit)] * len(start),
        options={"ftol": tolerance, "gtol": np.sqrt(tolerance), "maxiter": 500},
    )
    return Point(result.x, float(result.fun), result.jac, int(result.nit))


def _descent(log_likelihood: LogLikelihood[Data], data: Data) -> Descent:
    """The likelihood upside down, of the parameters' logarithms."""

    def descent(log_params: Vector) -> tuple[float, Vector]:
        params = np.exp(log_params)
        value, gradient = log_likelihood(params, data)
        return -value, -gradient * params

    return descent
