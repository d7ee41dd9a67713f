"""Item-kNN as `implicit` has it: neighbours of what a customer bought, an item being its own nearest neighbour.

Deshpande & Karypis (2004), Item-based top-N recommendation algorithms, ACM TOIS 22(1). `own` adds the customer's own
weights to the scores, which the library does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from implicit.nearest_neighbours import ItemItemRecommender, bm25_weight, normalize, tfidf_weight

from recsvc.domain.arrays import Factors
from tests.benchmarks.peer_past import WEIGHTINGS, PeerPast, Weighting

# Of items by customers, as in the library's CosineRecommender, TFIDFRecommender and BM25Recommender.
SIMILARITIES: dict[str, Callable[[sp.csr_matrix], sp.coo_matrix]] = {
    "cosine": normalize,
    "tf-idf": lambda bought: normalize(tfidf_weight(bought)),
    "bm25": lambda bought: bm25_weight(bought, K1=1.2, B=0.75),
}
NEIGHBOURS = (20, 100)
OWN = (0.0, 10.0, 100.0)
TINY = 1e-9  # in place of no spread


@dataclass(frozen=True, slots=True)
class ItemKnn:
    """Settings of item-kNN."""

    similarity: str
    weighting: Weighting
    neighbours: int
    own: float


GRID = tuple(
    ItemKnn(similarity, weighting, neighbours, own)
    for similarity in SIMILARITIES
    for weighting in WEIGHTINGS
    for neighbours in NEIGHBOURS
    for own in OWN
)


def scores(past: PeerPast, settings: ItemKnn) -> Factors:
    """Scores of the customers asked for; shape (n_asked, n_catalogue)."""
    found = _by_neighbours(past, settings.similarity, settings.weighting, settings.neighbours)
    if not settings.own:
        return found
    bought: Factors = past.weights(settings.weighting)[past.asked].toarray()
    return found + np.float32(settings.own) * bought


@lru_cache(maxsize=1)
def _by_neighbours(past: PeerPast, similarity: str, weighting: Weighting, neighbours: int) -> Factors:
    weights = past.weights(weighting)
    model = ItemItemRecommender(K=neighbours, num_threads=1)
    model.fit(SIMILARITIES[similarity](weights.T.tocsr()).T.tocsr(), show_progress=False)
    found: Factors = (weights[past.asked] @ model.similarity).toarray().astype("float32")
    return found / max(float(found.std()), TINY)  # so that `own` means much the same beside any similarity
