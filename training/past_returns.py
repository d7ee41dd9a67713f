"""What customers who came back bought, beside all they could have been shown: the lessons of one past day.

A label day is a day whose horizon has passed. Its customers are ranked as they would have been that morning, by the
very code that serves, and what they bought next says which candidates deserved the top.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from recsvc.domain.arrays import Counts, Factors, Mask
from recsvc.domain.blending import LinearBlend
from recsvc.domain.features import TREE_NAMES
from recsvc.serving.recommender import BATCH, Recommender
from recsvc.serving.rules import Rules
from recsvc.serving.scoring import Considered, shortlisted
from training.blend import BlendLessons, fit_blend, no_lessons
from training.split import REGULAR_ORDERS, Truth

MAX_RETURNERS = 10_000  # a label day: 200 MB of features, however many customers there are
BLEND_BATCHES = 8  # held in memory whole, to fit sixteen weights on


@dataclass(frozen=True, slots=True)
class PastReturns:
    """Shortlists of the customers who came back and bought something of theirs.

    Attributes
    ----------
    blend : fitted on this day's returns; it made the shortlists
    matrix : shape (n_pairs, n_tree_features), float32
    hits : shape (n_pairs,), whether the pair was bought
    sizes : shape (n_customers,), pairs of each customer
    bought : shape (n_customers,), distinct items of the order
    held_out : shape (n_customers,), half of them by a hash of the id: the same ones on every day
    """

    blend: LinearBlend
    matrix: Factors
    hits: Mask
    sizes: Counts
    bought: Counts
    held_out: Mask

    def __len__(self) -> int:
        return len(self.sizes)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Considered candidates of some customers, with what they bought."""

    considered: Considered
    hits: Mask
    bought: Counts


def past_returns(recommender: Recommender, truth: Truth, random_state: int, ridge: float) -> PastReturns:
    """Shortlist a bounded sample of the returners of a label day.

    Parameters
    ----------
    recommender
        Staged at a day whose horizon has passed; its own ranker does not matter.
    truth
        Items of each returner's first order on or after that day.
    ridge
        Of the blend.
    """
    labelled = _labelled(recommender, truth, random_state)
    first = list(islice(labelled, BLEND_BATCHES))
    blend = fit_blend(blend_lessons(first), ridge)
    parts = [_shortlists(recommender, one, blend) for one in chain(first, labelled)]
    if not parts:
        return PastReturns(blend, np.zeros((0, len(TREE_NAMES)), np.float32), *_nothing())
    return PastReturns(blend, *(np.concatenate(column) for column in zip(*parts, strict=True)))


def blend_lessons(labelled: list[Labelled]) -> BlendLessons:
    """All candidates of regular customers who bought at least one of them."""
    parts = []
    for one in labelled:
        customer = one.considered.pairs.customer
        n_hits = np.bincount(customer, one.hits, minlength=len(one.bought))
        kept = ((n_hits > 0) & (one.considered.batch.n_orders() >= REGULAR_ORDERS))[customer]
        target = one.hits[kept] / n_hits[customer[kept]]
        parts.append((one.considered.matrix[kept], target, np.unique(customer[kept], return_counts=True)[1]))
    if not parts:
        return no_lessons()
    return BlendLessons(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _labelled(recommender: Recommender, truth: Truth, random_state: int) -> Iterator[Labelled]:
    returners = sorted(truth)
    sample = np.random.default_rng(random_state).permutation(len(returners))[:MAX_RETURNERS]
    ids = recommender.bundle.items.ids
    for start in range(0, len(sample), BATCH):
        chosen = [returners[position] for position in sample[start : start + BATCH]]
        histories, _ = recommender.bundle.customers.get_many(chosen)
        considered, _ = recommender.scorer.consider(histories, Rules())
        wanted = [
            position * len(ids) + ids.known_rows(truth[one]).astype(np.int64) for position, one in enumerate(chosen)
        ]
        pairs = considered.pairs
        hits = np.isin(pairs.customer * len(ids) + pairs.item, np.concatenate(wanted))
        yield Labelled(considered, hits, np.array([len(truth[one]) for one in chosen], np.int64))


def _shortlists(
    recommender: Recommender, labelled: Labelled, blend: LinearBlend
) -> tuple[Factors, Mask, Counts, Counts, Mask]:
    considered = labelled.considered
    kept, matrix = shortlisted(considered, blend.score(considered.matrix), recommender.bundle.shop)
    customer, hits = considered.pairs.customer[kept], labelled.hits[kept]
    sizes = np.bincount(customer, minlength=len(labelled.bought))
    taught = np.bincount(customer, hits, minlength=len(sizes)) > 0
    held_out = np.array([is_held_out(one) for one in considered.batch.histories.customer_ids], bool)
    pairs = taught[customer]
    return matrix[pairs], hits[pairs], sizes[taught], labelled.bought[taught], held_out[taught]


def is_held_out(customer_id: str) -> bool:
    """Whether a customer is kept apart to judge on: half of them, by a hash of the id."""
    return bool(hashlib.blake2b(customer_id.encode("utf-8", "surrogatepass"), digest_size=1).digest()[0] & 1)


def _nothing() -> tuple[Mask, Counts, Counts, Mask]:
    return np.zeros(0, bool), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool)
