"""EASE: a linear autoencoder over items in closed form, for comparison only.

Steck (2019), Embarrassingly Shallow Autoencoders for Sparse Data, WWW. An item says nothing of itself there, so what a
customer keeps buying is found through its companions only. `own` adds the customer's own weights to the scores, which
the paper does not: in a shop where people buy again it is the stronger opponent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from scipy.linalg import eigh

from recsvc.domain.arrays import Factors, Vector
from tests.benchmarks.peer_past import WEIGHTINGS, PeerPast, Weighting

REGULARIZATIONS = (3.0, 10.0, 30.0, 100.0, 300.0)
OWN = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)


@dataclass(frozen=True, slots=True)
class Ease:
    """Settings of EASE."""

    weighting: Weighting
    regularization: float
    own: float


GRID = tuple(
    Ease(weighting, regularization, own)
    for weighting in WEIGHTINGS
    for regularization in REGULARIZATIONS
    for own in OWN
)


def scores(past: PeerPast, settings: Ease) -> Factors:
    """Scores of the customers asked for; shape (n_asked, n_catalogue)."""
    found = _by_companions(past, settings.weighting, settings.regularization)
    if not settings.own:
        return found
    bought: Factors = past.weights(settings.weighting)[past.asked].toarray()
    return found + np.float32(settings.own) * bought


@lru_cache(maxsize=1)
def _by_companions(past: PeerPast, weighting: Weighting, regularization: float) -> Factors:
    r"""Rows of :math:`X B` with :math:`B = I - P / diag(P)` and :math:`P = (X^T X + \lambda I)^{-1}`.

    With fewer customers than items the inverse is that of the smaller matrix, by Woodbury's identity:
    :math:`\lambda P = I - X^T (X X^T + \lambda I)^{-1} X`. It is the same B, without a matrix of items by items.
    """
    weights, spectrum = past.weights(weighting), _spectrum(past, weighting)
    shrunk = 1.0 / (spectrum.values + regularization)
    diagonal = 1.0 - shrunk @ spectrum.items.astype(np.float64) ** 2
    asked = spectrum.vectors[past.asked] * (spectrum.values * shrunk)
    explained = asked.astype(np.float32) @ spectrum.items
    bought = weights[past.asked].toarray()
    found: Factors = bought - (bought - explained) / diagonal.astype(np.float32)
    return found


@dataclass(frozen=True, slots=True)
class _Spectrum:
    """Eigenvalues and vectors U of X X^T, and U^T X; shapes (n,), (n, n), (n, n_catalogue)."""

    values: Vector
    vectors: Vector
    items: Factors


@lru_cache(maxsize=1)
def _spectrum(past: PeerPast, weighting: Weighting) -> _Spectrum:
    weights: sp.csr_matrix = past.weights(weighting)
    values, vectors = eigh((weights @ weights.T).toarray().astype(np.float64), overwrite_a=True)
    items = (weights.T @ vectors).T
    return _Spectrum(np.maximum(values, 0.0), vectors, np.ascontiguousarray(items, np.float32))
