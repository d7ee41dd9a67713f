"""Replaying the past: the recommender that serves, against what returning customers then bought, beside baselines.

Full catalogue, no sampled negatives; items outside the catalogue stay in the denominator. Every value is one customer
at one cut-off; intervals resample customers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Counts, Mask, Rows, Vector
from recsvc.domain.history import Histories
from recsvc.domain.ids import ItemIds
from recsvc.serving.recommender import BATCH, Recommender
from recsvc.serving.rules import Rules
from recsvc.serving.scoring import Scored
from training.baselines import als_alone, p_topfreq
from training.metrics import Estimate, bootstrap, hit, ndcg, recall
from training.split import GROUPS, Cohort, cohort
from training.trainer import Trainer

K = 10
METRICS = {"ndcg@10": ndcg, "recall@10": recall, "hit@10": hit}
BASELINES = ("recent_popular", "als_alone", "p_topfreq")
METHODS = (*BASELINES, "blend", "ranking", "slate")
SPLITS = ("all", "repeat", "explore")
NEW_HIT = "new_hit@10"
PAIRED = "ndcg@10"
COMPARED = (*BASELINES, "blend")
Key = tuple[str, str, str]  # method, split, metric


@dataclass(frozen=True, slots=True)
class Replay:
    """One value per tested customer for every method, split and metric; NaN where the truth of a split is empty."""

    customer_ids: tuple[str, ...]
    groups: Mapping[str, Mask]
    values: Mapping[Key, Vector]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    group: str
    method: str
    split: str
    metric: str
    n: int
    estimate: Estimate


def replay(trainer: Trainer, day: int) -> Replay:
    """Train at a past day and test on the horizon after it."""
    staged, recommender = trainer.replay(day)
    tested = cohort(staged.past, trainer.truth(day), trainer.config.backtest.silent_floor_days)
    values: dict[Key, list[float]] = {key: [] for key in _keys()}
    for customer_id, lists, bought in _lists(recommender, tested):
        for key, value in _judge(lists, bought, tested.truth[customer_id], recommender.bundle.items.ids):
            values[key].append(value)
    return Replay(tested.customer_ids, tested.groups, {key: np.array(value) for key, value in values.items()})


def pooled(replays: Sequence[Replay]) -> Replay:
    """Several cut-offs as one table."""
    return Replay(
        customer_ids=tuple(customer_id for one in replays for customer_id in one.customer_ids),
        groups={name: np.concatenate([one.groups[name] for one in replays]) for name in GROUPS},
        values={key: np.concatenate([one.values[key] for one in replays]) for key in _keys()},
    )


def table(found: Replay) -> list[Row]:
    """Means with intervals for every group, method, split and metric that has somebody in it."""
    columns = {key: found.values[key] for key in _keys()} | _differences(found)
    return [row for group in GROUPS for row in _rows(found, group, columns)]


def _differences(found: Replay) -> dict[Key, Vector]:
    """Paired differences of the ranking and what it is compared with."""
    values = found.values
    return {
        (f"ranking - {other}", split, PAIRED): values["ranking", split, PAIRED] - values[other, split, PAIRED]
        for other in COMPARED
        for split in SPLITS
    }


def _rows(found: Replay, group: str, columns: Mapping[Key, Vector]) -> list[Row]:
    members = np.flatnonzero(found.groups[group])
    values = {key: column[members] for key, column in columns.items()}
    sizes = {key: int(np.count_nonzero(~np.isnan(column))) for key, column in values.items()}
    used = [key for key, size in sizes.items() if size]
    if not used:
        return []
    ids = [found.customer_ids[member] for member in members]
    estimates = bootstrap(np.stack([values[key] for key in used], axis=1), ids)
    return [Row(group, *key, sizes[key], estimate) for key, estimate in zip(used, estimates, strict=True)]


def _keys() -> list[Key]:
    keys = [(method, split, metric) for method in METHODS for split in SPLITS for metric in METRICS]
    return keys + [(method, "all", NEW_HIT) for method in METHODS]


def _lists(recommender: Recommender, tested: Cohort) -> Iterator[tuple[str, dict[str, Rows], Rows]]:
    """Each customer's ranked item rows by every method, and the rows they ever bought."""
    bundle = recommender.bundle
    trending = bundle.items.trending()
    for start in range(0, len(tested.customer_ids), BATCH):
        histories, _ = bundle.customers.get_many(list(tested.customer_ids[start : start + BATCH]))
        scored, _ = recommender.score(histories, Rules(k=K, standing=False))
        slates = _shipped(recommender, histories, scored)
        for position, customer_id in enumerate(histories.customer_ids):
            mine = slice(*scored.batch.own.offsets[position : position + 2])
            bought, times = scored.batch.own.item[mine], scored.batch.own.order_days[mine]
            affinity = bundle.factors @ scored.batch.vectors[position]
            lists = {
                "recent_popular": trending,
                "als_alone": als_alone(affinity, len(bought) + K),
                "p_topfreq": p_topfreq(bought, times, trending),
                "blend": scored.pairs.item[_by_blend(scored, position)],
                "ranking": scored.pairs.item[scored.of(position)],
                "slate": slates[position],
            }
            yield customer_id, lists, bought


def _shipped(recommender: Recommender, histories: Histories, scored: Scored) -> list[Rows]:
    """Slates as the service ships them; `scored` is the bare ranking, which is theirs too where no rules stand."""
    if recommender.bundle.standing.says_something:
        return recommender.rank(histories, Rules(k=K))
    return [scored.pairs.item[chosen] for chosen in recommender.choose(scored, Rules(k=K))]


def _by_blend(scored: Scored, customer: int) -> Counts:
    """Positions of one customer's ranked candidates as the blend alone would order them."""
    mine = np.arange(*scored.offsets[customer : customer + 2])
    return mine[np.lexsort((scored.pairs.item[mine], -scored.blend_scores[mine]))]


def _judge(lists: dict[str, Rows], bought: Rows, truth: frozenset[str], ids: ItemIds) -> Iterator[tuple[Key, float]]:
    """Every metric of one customer, on all items, on those bought before, and on those never bought."""
    mine = {ids.id(row) for row in bought}
    truths = {"all": truth, "repeat": truth & mine, "explore": truth - mine}
    for method, rows in lists.items():
        is_mine = np.isin(rows, bought)
        kept = {"all": rows, "repeat": rows[is_mine], "explore": rows[~is_mine]}
        ranked = {split: [ids.id(row) for row in some[:K]] for split, some in kept.items()}
        for split, right in truths.items():
            for metric, measure in METRICS.items():
                yield (method, split, metric), measure(ranked[split], right, K) if right else np.nan
        yield (method, "all", NEW_HIT), hit(ranked["all"], truths["explore"], K)
