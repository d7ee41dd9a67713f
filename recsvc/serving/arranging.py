"""From one customer's ranked candidates to a slate that obeys rules, and what each rule changed about it.

Step by step: what goes with the session steps forward, boosts and buries move scores, what was shown before steps
back, pins take their places, a cap thins out categories. A step is reported when the slate after it
is another than the one before.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from recsvc.domain.arrays import Counts, Factors, Mask, Rows, Vector
from recsvc.domain.ids import ItemIds
from recsvc.serving.placing import Cap, Placed, Placing
from recsvc.serving.ranking import Room, choose
from recsvc.serving.scoring import Scored
from recsvc.serving.slate import Query

EPOCH = date(1970, 1, 1)
SHOWN_FACTOR = 4.0  # an item shown before, and not bought since, is buried by this for each time
SESSION_UNITS = 3.0  # standard deviations that what lies where the session lies steps forward; no data tuned it
DIGITS = 9  # of a score that was moved: ties break by item, not by the last bit


@dataclass(frozen=True, slots=True)
class Hand:
    """The candidates of one customer, in order of item row; every array has shape (n_candidates,).

    Attributes
    ----------
    position : of `Scored.pairs`
    item : item row
    is_new : whether the customer never bought it
    is_extra : whether only a pin brought it in: it may be pinned, but not take another place
    times_shown : how often it was shown before, and not bought since
    closeness : to the nearest of what the customer looks at, in taste, in [0, 1]; None without a session
    """

    position: Counts
    item: Rows
    score: Vector
    is_new: Mask
    is_extra: Mask
    times_shown: Counts
    closeness: Vector | None = None

    def unit(self) -> float:
        """Standard deviation of the scores that this customer's candidates have without any rule."""
        usual = self.score[~self.is_extra]
        return float(np.std(usual)) if len(usual) else 0.0


@dataclass(frozen=True, slots=True)
class Arranged:
    """A slate: positions of `Scored.pairs`, the scores it is sorted by, and the rules that changed it, in words."""

    positions: Counts
    scores: Vector
    applied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a slate is made by: scores, shape (n_candidates,), pins with the candidate each holds, and a cap."""

    score: Vector
    pins: tuple[tuple[int, int], ...] = ()
    cap: Cap | None = None


def hand_of(scored: Scored, customer: int, query: Query, ids: ItemIds, factors: Factors) -> Hand:
    """Candidates of one customer of a batch; `query` says what they were shown before."""
    mine = np.sort(scored.of(customer))
    item, bought = scored.pairs.item[mine], scored.facts.bought[mine]
    times_shown = np.bincount(ids.known_rows(query.shown), minlength=len(ids))[item]
    if query.shown_since is not None:
        last_day = scored.batch.clock_day[customer] - scored.facts.days_since_item[mine]
        in_vain = ~bought | (last_day < (query.shown_since - EPOCH).days)
        times_shown = np.where(in_vain, times_shown, 0)
    sessions = scored.batch.sessions
    looked_at = sessions.rows[customer] if sessions is not None else item[:0]
    closeness = closeness_to(factors, item, looked_at) if len(looked_at) else None
    return Hand(mine, item, scored.scores[mine], ~bought, scored.extra[mine], times_shown, closeness)


def closeness_to(factors: Factors, item: Rows, looked_at: Rows) -> Vector:
    """Cosine of each item with the nearest of some others, 0 where none points its way; shape (n_items,)."""
    theirs, ours = (
        some / np.maximum(np.linalg.norm(some, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        for some in (factors[looked_at], factors[item])
    )
    nearest: Vector = np.einsum("if,jf->ij", ours, theirs).max(axis=1).astype(np.float64)
    return np.clip(nearest, 0.0, 1.0)


def arrange(hand: Hand, placing: Placing, k: int, explore_slots: int) -> Arranged:
    """Slate of at most `k` candidates.

    Parameters
    ----------
    explore_slots : 0 to k
        Last places kept for products never bought; pins come on top.
    """
    slate, applied = _slate(hand, Wishes(hand.score), k, explore_slots), []
    wishes = Wishes(hand.score)
    for words, wishes in _steps(hand, placing, k):
        after = _slate(hand, wishes, k, explore_slots)
        if not np.array_equal(slate, after):
            applied.append(words)
        slate = after
    return Arranged(hand.position[slate], wishes.score[slate], tuple(applied))


def _steps(hand: Hand, placing: Placing, k: int) -> Iterator[tuple[str, Wishes]]:
    """Each step in words, with all that is wished for from there on."""
    wishes, unit = Wishes(hand.score), hand.unit()
    if hand.closeness is not None:
        lifted = wishes.score + unit * SESSION_UNITS * hand.closeness
        wishes = replace(wishes, score=np.round(lifted, DIGITS).astype(np.float64))
        yield "session: what goes with it steps forward", wishes
    for move in placing.moves:
        lifted = wishes.score + unit * move.rule.lift() * move.met[hand.item]
        wishes = replace(wishes, score=np.round(lifted, DIGITS).astype(np.float64))
        yield str(move.rule), wishes
    if hand.times_shown.any():
        sunk = wishes.score - unit * math.log(SHOWN_FACTOR) * hand.times_shown
        wishes = replace(wishes, score=np.round(sunk, DIGITS).astype(np.float64))
        n_shown = int(np.count_nonzero(hand.times_shown))
        yield f"shown before: {n_shown} {'item steps' if n_shown == 1 else 'items step'} back", wishes
    for pin in placing.pins:
        held = _best(hand, wishes, pin)
        if held is not None and len(wishes.pins) < k and pin.rule.amount <= k:
            wishes = replace(wishes, pins=(*wishes.pins, (int(pin.rule.amount), held)))
            yield str(pin.rule), wishes
    if placing.cap is not None:
        yield f"at most {placing.cap.n} of a category", replace(wishes, cap=placing.cap)


def _best(hand: Hand, wishes: Wishes, pin: Placed) -> int | None:
    """Candidate of highest score that a pin speaks of and no other pin holds."""
    free = pin.met[hand.item].copy()
    free[[held for _, held in wishes.pins]] = False
    found = np.flatnonzero(free)
    return int(found[np.argmax(wishes.score[found])]) if len(found) else None


def _slate(hand: Hand, wishes: Wishes, k: int, explore_slots: int) -> Counts:
    """Candidates of a slate, best first."""
    usual = ~hand.is_extra
    usual[[held for _, held in wishes.pins]] = False
    order = np.lexsort((hand.item, -wishes.score))
    ranked = order[usual[order]]
    rest = k - len(wishes.pins)
    room = _room(hand, wishes, ranked)
    slate = choose(ranked, hand.is_new[ranked], rest, min(explore_slots, rest), room).tolist()
    taken = 0
    for place, held in wishes.pins:
        taken = max(place, taken + 1)
        slate.insert(taken - 1, held)
    return np.array(slate, np.int64)


def _room(hand: Hand, wishes: Wishes, ranked: Counts) -> Room | None:
    """What a cap leaves for candidates in order, once the pins have taken their part of it."""
    if wishes.cap is None:
        return None
    category = wishes.cap.category[hand.item]
    pinned = Counter(category[[held for _, held in wishes.pins]].tolist())
    return Room(category[ranked], wishes.cap.n, pinned)
