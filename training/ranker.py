"""Fitting the linear blend on past returns: what customers who came back bought first, and what told it apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from recsvc.domain.arrays import Counts, Vector
from recsvc.domain.blending import LinearBlend
from recsvc.domain.features import FEATURE_NAMES, feature_matrix
from recsvc.serving.recommender import BATCH, Recommender
from recsvc.serving.rules import Rules
from training.split import REGULAR_ORDERS, Truth

MIN_RETURNS = 100  # below this floor the weights would be noise
MAX_RETURNS = 4000
L2 = 0.1  # ridge on standardised features: what a horizon ago told best must not be learned to the letter
SCALE_FLOOR = 1e-9


@dataclass(frozen=True, slots=True)
class PastReturns:
    """Candidates of customers who came back, and which of them they bought.

    Attributes
    ----------
    matrix : shape (n_pairs, n_features)
    starts : shape (n_customers,), where each customer's pairs begin
    target : shape (n_pairs,), 1 / hits where bought, else 0
    """

    matrix: Vector
    starts: Counts
    target: Vector


def prior_blend() -> LinearBlend:
    """Stand in until there are enough past returns: most-bought items first, then what is popular now."""
    weight = np.zeros(len(FEATURE_NAMES))
    weight[FEATURE_NAMES.index("order_days")] = 10.0
    weight[FEATURE_NAMES.index("recent_share")] = 0.1
    return LinearBlend(FEATURE_NAMES, np.zeros(len(weight)), np.ones(len(weight)), weight)


def fit_blend(recommender: Recommender, truth: Truth, random_state: int) -> LinearBlend:
    """Weights that best tell bought candidates from the rest, or the prior below the data floor.

    Maximises the listwise likelihood (softmax over each customer's candidates) of a past horizon.

    Parameters
    ----------
    recommender
        Staged at a cut-off whose horizon has passed; its own blend does not matter.
    truth
        Items of each returner's first order after that cut-off.

    References
    ----------
    Cao et al. (2007), Learning to Rank: From Pairwise Approach to Listwise Approach, ICML
    """
    returns = past_returns(recommender, truth, random_state)
    if len(returns.starts) < MIN_RETURNS:
        return prior_blend()
    mean, scale = returns.matrix.mean(axis=0), returns.matrix.std(axis=0)
    scale = np.where(scale > SCALE_FLOOR, scale, 1.0)
    standard = (returns.matrix - mean) / scale
    found = minimize(_loss, np.zeros(standard.shape[1]), (standard, returns), jac=True, method="L-BFGS-B")
    return LinearBlend(FEATURE_NAMES, mean, scale, found.x)


def past_returns(recommender: Recommender, truth: Truth, random_state: int) -> PastReturns:
    """Candidates of a bounded sample of regular customers who came back and bought at least one of them."""
    matrices, targets, starts, at = [np.zeros((0, len(FEATURE_NAMES)))], [np.zeros(0)], [], 0
    for matrix, target in _labelled(recommender, sorted(truth), truth, random_state):
        matrices.append(matrix)
        targets.append(target / target.sum())
        starts.append(at)
        at += len(target)
    return PastReturns(np.concatenate(matrices), np.array(starts, np.int64), np.concatenate(targets))


def _labelled(
    recommender: Recommender, returners: list[str], truth: Truth, random_state: int
) -> Iterator[tuple[Vector, Vector]]:
    sample = np.random.default_rng(random_state).permutation(len(returners))[:MAX_RETURNS]
    chosen = [returners[position] for position in sorted(sample)]
    ids = recommender.bundle.items.ids
    for start in range(0, len(chosen), BATCH):
        histories, _ = recommender.bundle.customers.get_many(chosen[start : start + BATCH])
        scored, _ = recommender.score(histories, Rules())
        matrix = feature_matrix(scored.facts)
        for customer, customer_id in enumerate(histories.customer_ids):
            mine = slice(scored.offsets[customer], scored.offsets[customer + 1])
            target = np.isin(scored.pairs.item[mine], ids.known_rows(truth[customer_id])).astype(np.float64)
            if np.diff(histories.order_offsets)[customer] >= REGULAR_ORDERS and target.any():
                yield matrix[mine], target


def _loss(weight: Vector, standard: Vector, returns: PastReturns) -> tuple[float, Vector]:
    """Mean listwise cross-entropy with its gradient."""
    starts = returns.starts
    lengths = np.diff(np.append(starts, len(standard)))
    score = standard @ weight
    score -= np.repeat(np.maximum.reduceat(score, starts), lengths)
    log_total = np.repeat(np.log(np.add.reduceat(np.exp(score), starts)), lengths)
    surplus = np.exp(score - log_total) - returns.target
    loss = -(returns.target @ (score - log_total)) / len(starts) + L2 * weight @ weight
    return float(loss), standard.T @ surplus / len(starts) + 2 * L2 * weight
