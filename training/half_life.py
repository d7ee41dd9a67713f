"""How fast taste fades in a shop: the half-life by which own purchases told best what returners bought next.

Chosen once a run, on returns that ended before the first day that is tested, for all days alike: what the ranker learns
from fades as what it ranks by. Where the past cannot tell, the usual half-life stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsvc.domain.arrays import Floats, Vector
from recsvc.domain.history import Histories, take
from recsvc.domain.item_history import item_histories
from recsvc.serving.customer_state import moment_of
from training.config_recipe import USUAL_HALF_LIFE_DAYS
from training.metrics import ndcg_of_pairs
from training.records import stream_histories
from training.split import MAX_TESTED, REGULAR_ORDERS, SAMPLE_SEED, Truth
from training.tables import Prepared

K = 10
CANDIDATES = (15.0, 30.0, 60.0, 90.0, 180.0, 365.0, 730.0)
MIN_RETURNERS = 200
MIN_ERRORS = 2.0  # standard errors of the paired difference by which another must be better than the usual one


@dataclass(frozen=True, slots=True)
class HalfLife:
    """A half-life in days, why it was chosen, and NDCG@10 of own purchases by each candidate; none where none tried."""

    days: float
    why: str
    returners: int = 0
    ndcg: Mapping[float, float] | None = None

    def to_json(self) -> dict[str, Any]:  # JSON
        """Plain values by name."""
        ndcg = {f"{days:g}": value for days, value in (self.ndcg or {}).items()}
        return {"days": self.days, "why": self.why, "returners": self.returners, "ndcg": ndcg}


def choose_half_life(prepared: Prepared, truth: Truth) -> HalfLife:
    """Choose by what returners bought first.

    Parameters
    ----------
    prepared
        As of a day whose horizon has passed.
    truth
        Items of each returner's first order on or after that day.
    """
    values = np.concatenate([*_values(prepared, truth), np.zeros((0, len(CANDIDATES)))])
    if len(values) < MIN_RETURNERS:
        return HalfLife(USUAL_HALF_LIFE_DAYS, f"fewer than {MIN_RETURNERS} past returns to choose by", len(values))
    means = values.mean(axis=0)
    best, usual = int(means.argmax()), CANDIDATES.index(USUAL_HALF_LIFE_DAYS)
    gain = values[:, best] - values[:, usual]
    error = float(gain.std(ddof=1)) / np.sqrt(len(gain))
    chosen = best if gain.mean() > MIN_ERRORS * error else usual
    told = "told best" if chosen == best else f"as good as {CANDIDATES[best]:g} but for chance"
    why = f"{told} what returners after {moment_of(prepared.as_of_day):%Y-%m-%d} bought"
    return HalfLife(CANDIDATES[chosen], why, len(values), dict(zip(CANDIDATES, means.tolist(), strict=True)))


def _values(prepared: Prepared, truth: Truth) -> Iterator[Floats]:
    """NDCG@10 of regular returners by each candidate; shape (n_returners, n_candidates)."""
    rows = {item_id: row for row, item_id in enumerate(prepared.items["item_id"].to_pylist())}
    asked = _sample(truth)
    for histories in stream_histories(prepared.record_batches(), prepared.customer_ids):
        regular = np.diff(histories.order_offsets) >= REGULAR_ORDERS
        known = np.array([customer_id in asked for customer_id in histories.customer_ids], bool)
        if (regular & known).any():
            yield _values_of(take(histories, np.flatnonzero(regular & known)), truth, rows, prepared.as_of_day)


def _values_of(histories: Histories, truth: Truth, rows: Mapping[str, int], day: int) -> Floats:
    bought = [truth[customer_id] for customer_id in histories.customer_ids]
    clock = np.full(len(histories), day, np.int32)
    wanted = [
        customer * len(rows) + rows[item_id]
        for customer, items in enumerate(bought)
        for item_id in items
        if item_id in rows
    ]
    columns: list[Vector] = []
    for half_life_days in CANDIDATES:
        own = item_histories(histories, clock, half_life_days)
        hits, sizes = np.isin(own.keys(len(rows)), wanted), np.diff(own.offsets)
        columns.append(ndcg_of_pairs(own.decayed_order_days, hits, sizes, np.array([*map(len, bought)]), K))
    return np.stack(columns, axis=1)


def _sample(truth: Truth) -> frozenset[str]:
    """All returners, or a fixed random sample where there are very many."""
    ids = sorted(truth)
    chosen = np.random.default_rng(SAMPLE_SEED).permutation(len(ids))[:MAX_TESTED]
    return frozenset(ids[position] for position in chosen)
