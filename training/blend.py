"""Fitting the linear blend on past returns: what customers who came back bought first, and what told it apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from recsvc.domain.arrays import Counts, Vector
from recsvc.domain.blending import LinearBlend
from recsvc.domain.features import BLEND_NAMES

MIN_RETURNS = 100  # below this floor the weights would be noise
SCALE_FLOOR = 1e-9


@dataclass(frozen=True, slots=True)
class BlendLessons:
    """Candidates of customers who came back, and which of them they bought.

    Attributes
    ----------
    matrix : shape (n_pairs, n_features)
    target : shape (n_pairs,), 1 / hits where bought, else 0
    sizes : shape (n_customers,), pairs of each customer, who has at least one hit
    """

    matrix: Vector
    target: Vector
    sizes: Counts


def no_lessons() -> BlendLessons:
    """Nobody came back."""
    return BlendLessons(np.zeros((0, len(BLEND_NAMES))), np.zeros(0), np.zeros(0, np.int64))


def prior_blend() -> LinearBlend:
    """Stand in until there are enough past returns: most-bought items first, then what is popular now."""
    weight = np.zeros(len(BLEND_NAMES))
    weight[BLEND_NAMES.index("order_days")] = 10.0
    weight[BLEND_NAMES.index("recent_share")] = 0.1
    return LinearBlend(BLEND_NAMES, np.zeros(len(weight)), np.ones(len(weight)), weight)


def fit_blend(lessons: BlendLessons, ridge: float) -> LinearBlend:
    """Weights that best tell bought candidates from the rest, or the prior below the data floor.

    Maximises the listwise likelihood (softmax over each customer's candidates) of a past horizon, less the squares of
    the weights times `ridge`, of standardised features.

    References
    ----------
    Cao et al. (2007), Learning to Rank: From Pairwise Approach to Listwise Approach, ICML
    """
    if len(lessons.sizes) < MIN_RETURNS:
        return prior_blend()
    mean, scale = lessons.matrix.mean(axis=0), lessons.matrix.std(axis=0)
    scale = np.where(scale > SCALE_FLOOR, scale, 1.0)
    standard = (lessons.matrix - mean) / scale
    found = minimize(_loss, np.zeros(standard.shape[1]), (standard, lessons, ridge), jac=True, method="L-BFGS-B")
    return LinearBlend(BLEND_NAMES, mean, scale, found.x)


def _loss(weight: Vector, standard: Vector, lessons: BlendLessons, ridge: float) -> tuple[float, Vector]:
    """Mean listwise cross-entropy with its gradient."""
    lengths = lessons.sizes
    starts = np.cumsum(lengths) - lengths
    score = standard @ weight
    score -= np.repeat(np.maximum.reduceat(score, starts), lengths)
    log_total = np.repeat(np.log(np.add.reduceat(np.exp(score), starts)), lengths)
    surplus = np.exp(score - log_total) - lessons.target
    loss = -(lessons.target @ (score - log_total)) / len(starts) + ridge * weight @ weight
    return float(loss), standard.T @ surplus / len(starts) + 2 * ridge * weight
