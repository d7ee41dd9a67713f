"""Which transaction model to ship: the one that foresaw best how often customers ordered after a past day.

Each model is fitted on what that day knew and judged by the likelihood of the counts that followed. MBG/NBD
stays unless another is better beyond chance: models within noise of each other would otherwise take turns
from night to night, and MBG/NBD is the one that can judge one-time buyers at no cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.transactions import TransactionModel, probability_of_count
from training.errors import FitDidNotConverge
from training.holdout import Holdout
from training.transactions import MBG_NBD, RECIPES, Recipe, fit_transactions

DEFAULT = MBG_NBD.name
MAX_CUSTOMERS = 50_000  # spread evenly over all; more would only narrow differences that are clear already
LIKELY_BY_CHANCE = 2.0  # standard errors of the paired difference
LEAST_LIKELY = 1e-12  # what no model allows for counts the same against all, and one customer decides nothing


@dataclass(frozen=True, slots=True)
class Choice:
    """The model chosen, and why.

    Attributes
    ----------
    model
        Name of the model.
    reason
        In words.
    n_customers
        Customers the models were judged on.
    log_likelihood
        Mean per customer of the counts held out, by model; empty when nothing could be held out.
    """

    model: str
    reason: str
    n_customers: int = 0
    log_likelihood: Mapping[str, float] | None = None

    def to_json(self) -> dict[str, Any]:  # Any: JSON values of several kinds
        """Plain values by name."""
        return asdict(self)


def choose_transactions(holdout: Holdout, days: float) -> Choice:
    """Choose the transaction model.

    Parameters
    ----------
    holdout
        What a past day knew, and what came after.
    days
        Length of the time after that day. It needs as much before it, else there is too little history.
    """
    judged = _spread(holdout)
    if not len(judged) or float(judged.T.max()) < days:
        return Choice(DEFAULT, f"there are no {days:g} days of history before the {days:g} days to judge by")
    scores = {name: score for name, recipe in RECIPES.items() if (score := _score(recipe, judged, days)) is not None}
    if DEFAULT not in scores:
        return Choice(DEFAULT, "too few customers ordered twice to judge by", len(judged))
    best = max(scores, key=lambda name: float(scores[name].mean()))
    means = {name: float(score.mean()) for name, score in scores.items()}
    if best == DEFAULT:
        return Choice(DEFAULT, "likeliest on the days held out", len(judged), means)
    if not _is_better(scores[best], scores[DEFAULT]):
        return Choice(DEFAULT, f"{best} is no better beyond chance on the days held out", len(judged), means)
    return Choice(best, "likeliest on the days held out, beyond chance", len(judged), means)


def _score(recipe: Recipe[TransactionModel], judged: Holdout, days: float) -> Vector | None:
    """Log-likelihood of each customer's count; None where the model does not fit."""
    try:
        params = fit_transactions(recipe, judged.frequency, judged.recency, judged.T).params
    except FitDidNotConverge:
        return None
    chance = probability_of_count(params, judged.orders_after, days, judged.frequency, judged.recency, judged.T)
    return np.log(np.maximum(chance, LEAST_LIKELY))


def _is_better(scores: Vector, others: Vector) -> bool:
    difference = scores - others
    noise = float(difference.std() / np.sqrt(len(difference)))
    return float(difference.mean()) > LIKELY_BY_CHANCE * noise


def _spread(holdout: Holdout) -> Holdout:
    step = 1 + len(holdout) // MAX_CUSTOMERS
    frequency, recency, age = holdout.frequency[::step], holdout.recency[::step], holdout.T[::step]
    return Holdout(frequency, recency, age, holdout.orders_after[::step])
