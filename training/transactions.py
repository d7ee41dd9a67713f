"""Fit the transaction models; what their parameters say is in `recsvc.domain.transactions`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.bg_nbd import BgNbdParams
from recsvc.domain.mbg_nbd import MbgNbdParams
from recsvc.domain.pareto_nbd import ParetoNbdParams
from recsvc.domain.transactions import TransactionModel
from training.distinct import Distinct, distinct, every
from training.errors import FitDidNotConverge
from training.likelihoods import bg_nbd, mbg_nbd, pareto_nbd
from training.maximum_likelihood import Diagnostics, Fitted, LogLikelihood, maximise

Model = TypeVar("Model", bound=TransactionModel, covariant=True)

MIN_CUSTOMERS = 10  # who ordered twice; four numbers cannot be told from fewer
SAMPLE = 5_000
GEOMETRIC_STARTS = ((0.5, 0.2, 0.8, 1.5), (1.0, 1.0, 1.0, 1.0), (2.0, 0.5, 0.1, 1.0), (0.2, 0.05, 2.0, 5.0))
PARETO_STARTS = ((0.5, 0.2, 0.5, 0.3), (1.0, 1.0, 1.0, 1.0), (2.0, 0.5, 0.2, 1.0), (0.3, 0.1, 2.0, 5.0))


@dataclass(frozen=True, slots=True)
class Recipe(Generic[Model]):
    """How one model is fitted.

    Attributes
    ----------
    name, model
        Of the model, and what makes its parameters.
    likelihood, starts
        In scaled time.
    parameters
        Names in the order of `likelihood`; the second is a time.
    times
        Positions of those that are times.
    """

    name: str
    model: Callable[[float, float, float, float], Model]
    likelihood: LogLikelihood[Distinct]
    starts: tuple[tuple[float, ...], ...]
    parameters: tuple[str, ...]
    times: tuple[int, ...]


MBG_NBD = Recipe(MbgNbdParams.NAME, MbgNbdParams, mbg_nbd, GEOMETRIC_STARTS, MbgNbdParams.__slots__, (1,))
BG_NBD = Recipe(BgNbdParams.NAME, BgNbdParams, bg_nbd, GEOMETRIC_STARTS, BgNbdParams.__slots__, (1,))
PARETO_NBD = Recipe(ParetoNbdParams.NAME, ParetoNbdParams, pareto_nbd, PARETO_STARTS, ParetoNbdParams.__slots__, (1, 3))
RECIPES: dict[str, Recipe[TransactionModel]] = {recipe.name: recipe for recipe in (MBG_NBD, BG_NBD, PARETO_NBD)}


def fit_mbg_nbd(frequency: Vector, recency: Vector, T: Vector) -> Fitted[MbgNbdParams]:
    """Fit MBG/NBD; see `fit_transactions`."""
    return fit_transactions(MBG_NBD, frequency, recency, T)


def fit_bg_nbd(frequency: Vector, recency: Vector, T: Vector) -> Fitted[BgNbdParams]:
    """Fit BG/NBD; see `fit_transactions`."""
    return fit_transactions(BG_NBD, frequency, recency, T)


def fit_pareto_nbd(frequency: Vector, recency: Vector, T: Vector) -> Fitted[ParetoNbdParams]:
    """Fit Pareto/NBD; see `fit_transactions`."""
    return fit_transactions(PARETO_NBD, frequency, recency, T)


def fit_transactions(recipe: Recipe[Model], frequency: Vector, recency: Vector, T: Vector) -> Fitted[Model]:
    """Fit a model by maximum likelihood on distinct observations, in scaled time.

    Parameters
    ----------
    recipe
        Which model.
    frequency : shape (n_customers,), count
        Orders after the first one.
    recency, T : shape (n_customers,), days (or any one unit of time)
        Age at the last order, and at the end of observation; 0 <= recency <= T.

    Returns
    -------
    Fitted
        Times among the parameters are in the unit of `T`.

    Raises
    ------
    FitDidNotConverge
        If fewer than 10 customers repeat, or the likelihood has no maximum to be found.
    """
    repeaters = int(np.count_nonzero(frequency))
    if repeaters < MIN_CUSTOMERS:
        raise FitDidNotConverge(recipe.name, f"only {repeaters} customers ordered twice")
    scale = float(T.mean())
    data = distinct(frequency, recency, T).scaled(scale)
    sample = every(data, 1 + len(data) // SAMPLE)
    optimum = maximise(recipe.name, recipe.likelihood, data, sample, recipe.starts)
    log_likelihood = optimum.mean_log_likelihood * len(T) - float(frequency.sum() * np.log(scale))
    at_bound = tuple(recipe.parameters[position] for position in optimum.at_bound)
    return Fitted(
        from_scaled(recipe, optimum.values, scale),
        Diagnostics(recipe.name, len(T), len(data), log_likelihood, optimum.iterations, at_bound),
    )


def from_scaled(recipe: Recipe[Model], values: Vector, scale: float) -> Model:
    """Parameters in the unit of the data from those in scaled time."""
    times = np.isin(np.arange(len(values)), recipe.times)
    r, alpha, third, fourth = map(float, np.where(times, values * scale, values))
    return recipe.model(r, alpha, third, fourth)


def empirical_rates(frequency: Vector, T: Vector, reason: str) -> Fitted[MbgNbdParams]:
    """Put pooled rates in the place of a fit: everybody's orders over everybody's time, shrunk by one order.

    Half an order is added so that nobody repeating still leaves a small rate; the chance to leave after an
    order is uniform.
    """
    rate = (float(frequency.sum()) + 0.5) / max(float(T.sum()), 1.0)
    return Fitted(MbgNbdParams(1.0, 1.0 / rate, 1.0, 1.0), Diagnostics(MBG_NBD.name, len(T), fallback=reason))
