"""From customers to scored candidates: proposed by the sources, cut by the blend, ordered by the trees.

The blend looks at every candidate and is cheap. Where trees were learned they order the few it puts first; the others
are dropped, so every score of a list is of one kind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recsvc.bundle.reader import INDEX, Bundle
from recsvc.domain.arrays import Counts, Factors, Mask, Vector
from recsvc.domain.details import details
from recsvc.domain.features import BLEND_NAMES, TREE_NAMES, blend_matrix, tree_matrix
from recsvc.domain.fold_in import fold_in_many
from recsvc.domain.history import Histories
from recsvc.domain.item_history import item_histories
from recsvc.domain.pairs import CustomerBatch, Pairs
from recsvc.domain.session import Sessions, with_sessions
from recsvc.domain.shop import Shop
from recsvc.domain.signals import Signals, signals
from recsvc.serving.candidates import Pinned, Proposals, build_sources, propose
from recsvc.serving.placing import NO_PLACING, Placing
from recsvc.serving.ranking import rank_pairs, shortlist
from recsvc.serving.retrieval import ItemIndex
from recsvc.serving.rules import Rules, allowed_items
from recsvc.serving.slate import Stage
from recsvc.serving.trees import Trees

POPULAR_EVER = 1e-4  # of all buyers beside recent ones: decides ties only


@dataclass(frozen=True, slots=True)
class Considered:
    """Every candidate of a batch with what the blend looks at; `matrix` has shape (n_pairs, n_blend_features).

    `placing` is what rules want of the slates; where it pins, the last source proposed what may be pinned.
    """

    batch: CustomerBatch
    proposals: Proposals
    facts: Signals
    matrix: Vector
    k: int
    placing: Placing = NO_PLACING

    @property
    def pairs(self) -> Pairs:
        """Return the candidates."""
        return self.proposals.pairs

    def usual(self) -> Mask:
        """Which candidates would be there without pins; shape (n_pairs,)."""
        by = self.proposals.by
        return np.logical_or.reduce(by[:, :-1], axis=1) if self.placing.pins else np.ones(len(by), bool)


@dataclass(frozen=True, slots=True)
class Scored:
    """Ranked candidates of a batch: everything later steps need, nothing padded.

    Attributes
    ----------
    considered : all candidates
    kept : positions of the candidates that were ranked; every array below is in its order
    extra : shape (n_kept,), which of them only a pin brought in
    matrix : shape (n_kept, n_features), what the score was computed from
    scores, blend_scores : shape (n_kept,)
        What the ranking sorts by, and what the blend alone would.
    order, offsets
        Positions of `pairs`, customer by customer, best first; `offsets[c]` is where customer `c` begins.
    """

    considered: Considered
    kept: Counts
    extra: Mask
    pairs: Pairs
    facts: Signals
    matrix: Vector | Factors
    scores: Vector
    blend_scores: Vector
    order: Counts
    offsets: Counts

    @property
    def batch(self) -> CustomerBatch:
        """Return the customers."""
        return self.considered.batch

    def without(self, sold_out: Mask) -> Scored:
        """The same ranking without some items; `sold_out` has shape (n_items,)."""
        kept = ~sold_out[self.pairs.item[self.order]]
        n_kept = np.concatenate([[0], np.cumsum(kept)])
        return replace(self, order=self.order[kept], offsets=n_kept[self.offsets])

    def of(self, customer: int) -> Counts:
        """Positions of one customer's candidates, best first."""
        return self.order[self.offsets[customer] : self.offsets[customer + 1]]


class Scorer:
    """Scores the catalogue of one bundle."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self.index = ItemIndex(bundle.folder / INDEX, bundle.factors)
        self.trees = Trees.from_file(bundle.trees_file, TREE_NAMES) if bundle.ranking.by_trees else None
        self._sources = build_sources(bundle.shop, self.index)

    def batch(self, histories: Histories, sessions: Sessions | None = None) -> CustomerBatch:
        """What ranking may know of some customers, at the ranking clock: `as_of`, or the day after their last event."""
        bundle = self._bundle
        clock_day = np.full(len(histories), bundle.items.as_of_day, np.int32)
        np.maximum.at(clock_day, histories.order_customer(), histories.order_day + 1)
        if sessions is not None:
            clock_day = np.maximum(clock_day, sessions.clock_day)
        own = item_histories(histories, clock_day, bundle.fold_in.half_life_days)
        if sessions is None or sessions.are_empty():
            return CustomerBatch(
                histories, own, clock_day, fold_in_many(bundle.gram, bundle.factors, own, bundle.fold_in)
            )
        looked_at = with_sessions(histories, sessions, clock_day)
        liked = item_histories(looked_at, clock_day, bundle.fold_in.half_life_days)
        vectors = fold_in_many(bundle.gram, bundle.factors, liked, bundle.fold_in)
        return CustomerBatch(histories, own, clock_day, vectors, sessions, liked)

    def consider(
        self,
        histories: Histories,
        rules: Rules,
        placing: Placing = NO_PLACING,
        sessions: Sessions | None = None,
        on_sale: Mask | None = None,
    ) -> tuple[Considered, tuple[str, ...]]:
        """Propose candidates and look at all of them; also which filters took something away."""
        bundle = self._bundle
        allowed, applied = allowed_items(bundle.catalogue, bundle.items, rules, on_sale)
        if placing.kept is not None:
            allowed &= placing.kept
        batch, sources = self.batch(histories, sessions), self._sources(rules.k)
        if placing.pins:
            sources = (*sources, Pinned(placing.pinned_rows(bundle.items.trending(), allowed)))
        proposals = propose(sources, batch, allowed, with_bought=not rules.exclude_purchased)
        facts = signals(proposals.pairs, batch, bundle.items, bundle.factors)
        considered = Considered(batch, proposals, facts, blend_matrix(facts), rules.k, placing)
        return considered, applied + placing.applied

    def score(self, considered: Considered) -> Scored:
        """Rank what was considered."""
        blend_scores = _popular_for_strangers(considered, self._bundle.blend.score(considered.matrix))
        if self.trees is None:
            kept = np.arange(len(considered.pairs))
            return _scored(considered, kept, kept[considered.usual()], considered.matrix, blend_scores, blend_scores)
        kept, matrix = shortlisted(considered, blend_scores, self._bundle.shop)
        scores = np.where(_is_stranger(considered)[kept], blend_scores[kept], self.trees.score(matrix))
        usual = _usual_shortlist(considered, blend_scores) if considered.placing.pins else kept
        return _scored(considered, kept, usual, matrix, scores, blend_scores[kept])

    def stage(self, scored: Scored, customer: int) -> Stage:
        """What the scores of a customer come from."""
        if scored.batch.is_unknown()[customer]:
            return "popularity"
        return "blend" if self.trees is None else "trees"

    def contributions(self, scored: Scored, positions: Counts, stage: Stage) -> Vector:
        """What each feature added to the scores at some positions; shape (n_positions, n_features of the stage)."""
        matrix = scored.matrix[positions]
        if stage == "trees" and self.trees is not None:
            return self.trees.contributions(matrix.astype(np.float32))
        found = self._bundle.blend.contributions(matrix[:, : len(BLEND_NAMES)].astype(np.float64))
        return found if stage == "blend" else np.zeros_like(found)


def shortlisted(considered: Considered, blend_scores: Vector, shop: Shop) -> tuple[Counts, Factors]:
    """Positions of the candidates that the trees order, and the matrix they look at."""
    kept = _usual_shortlist(considered, blend_scores)
    if considered.placing.pins:
        kept = np.union1d(kept, np.flatnonzero(considered.proposals.by[:, -1]))
    pairs, facts = considered.pairs.take(kept), considered.facts.take(kept)
    return kept, tree_matrix(considered.matrix[kept], details(pairs, facts, considered.batch, shop))


def _usual_shortlist(considered: Considered, blend_scores: Vector) -> Counts:
    """The shortlist there would be without pins."""
    if not considered.placing.pins:
        return shortlist(considered.pairs, blend_scores, considered.facts.bought, considered.k)
    usual = np.flatnonzero(considered.usual())
    pairs, bought = considered.pairs.take(usual), considered.facts.bought[usual]
    return usual[shortlist(pairs, blend_scores[usual], bought, considered.k)]


def _is_stranger(considered: Considered) -> Mask:
    """Which pairs are of somebody of whom nothing is known; shape (n_pairs,)."""
    return considered.batch.is_unknown()[considered.pairs.customer]


def _popular_for_strangers(considered: Considered, scores: Vector) -> Vector:
    """Scores, but what is popular now for people of whom nothing is known: neither stage has learned from any."""
    facts = considered.facts
    popularity = np.round(facts.recent_share + POPULAR_EVER * facts.buyer_share, 9)
    return np.where(_is_stranger(considered), popularity, scores)


def _scored(
    considered: Considered,
    kept: Counts,
    usual: Counts,
    matrix: Vector | Factors,
    scores: Vector,
    blend_scores: Vector,
) -> Scored:
    pairs = considered.pairs.take(kept)
    return Scored(
        considered=considered,
        kept=kept,
        extra=~np.isin(kept, usual) if considered.placing.pins else np.zeros(len(kept), bool),
        pairs=pairs,
        facts=considered.facts.take(kept),
        matrix=matrix,
        scores=scores,
        blend_scores=blend_scores,
        order=rank_pairs(pairs, scores),
        offsets=np.searchsorted(pairs.customer, np.arange(len(considered.batch.histories) + 1)),
    )
