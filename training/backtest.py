"""Replaying the past: the recommender that serves, against what returning customers then bought, beside baselines.

Full catalogue, no sampled negatives; items outside the catalogue stay in the denominator. Every value is one customer
at one cut-off; intervals resample customers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from training.source_recall import SPLITS, found_items
from training.split import GROUPS, Cohort, cohort
from training.trainer import Trainer

K = 10
METRICS = {"ndcg@10": ndcg, "recall@10": recall, "hit@10": hit}
BASELINES = ("recent_popular", "als_alone", "p_topfreq")
METHODS = (*BASELINES, "blend", "ranking", "slate")
NEW_HIT = "new_hit@10"
PROPOSED = "proposed"  # of a source: the share of the truth it proposed, however far down
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


@dataclass(frozen=True, slots=True)
class Lists:
    """What one tested customer would have been shown: item rows, best first, by every method.

    Attributes
    ----------
    bought : item rows ever bought
    found : by source and split, how many items of the truth the source proposed
    """

    customer_id: str
    lists: Mapping[str, Rows]
    bought: Rows
    found: tuple[tuple[str, str, int], ...] = ()


def replay(trainer: Trainer, day: int) -> Replay:
    """Train at a past day and test on the horizon after it."""
    staged, recommender = trainer.replay(day)
    tested = cohort(staged.past, trainer.truth(day), trainer.config.backtest.silent_floor_days)
    return judged(lists_of(recommender, tested), tested, recommender.bundle.items.ids)


def judged(shown: Iterable[Lists], tested: Cohort, ids: ItemIds) -> Replay:
    """Hold lists, in order of the cohort, against what was bought."""
    values: dict[Key, list[float]] = defaultdict(list)
    for one in shown:
        for key, value in _judge(one, tested.truth[one.customer_id], ids):
            values[key].append(value)
    return Replay(tested.customer_ids, tested.groups, {key: np.array(value) for key, value in values.items()})


def pooled(replays: Sequence[Replay]) -> Replay:
    """Several cut-offs as one table; one in which nobody returned adds nothing to it."""
    keys = dict.fromkeys(key for one in replays for key in one.values)
    nobody = np.zeros(0)
    return Replay(
        customer_ids=tuple(customer_id for one in replays for customer_id in one.customer_ids),
        groups={name: np.concatenate([one.groups[name] for one in replays]) for name in GROUPS},
        values={key: np.concatenate([one.values.get(key, nobody) for one in replays]) for key in keys},
    )


def table(found: Replay, ours: str = "ranking", others: Sequence[str] = COMPARED) -> list[Row]:
    """Means with intervals for every group, method, split and metric that has somebody in it.

    One method is also compared with some others, customer by customer.
    """
    columns = {**found.values, **_differences(found, ours, others)}
    return [row for group in GROUPS for row in _rows(found, group, columns)]


def _differences(found: Replay, ours: str, others: Sequence[str]) -> dict[Key, Vector]:
    values = found.values
    return {
        (f"{ours} - {other}", split, PAIRED): values[ours, split, PAIRED] - values[other, split, PAIRED]
        for other in others
        for split in SPLITS
        if (other, split, PAIRED) in values
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


def lists_of(recommender: Recommender, tested: Cohort) -> Iterator[Lists]:
    """Lists of every tested customer, in order of the cohort."""
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
            truth = bundle.items.ids.known_rows(tested.truth[customer_id])
            yield Lists(customer_id, lists, bought, tuple(found_items(scored, position, truth)))


def _shipped(recommender: Recommender, histories: Histories, scored: Scored) -> list[Rows]:
    """Slates as the service ships them; `scored` is the bare ranking, which is theirs too where no rules stand."""
    if recommender.bundle.standing.says_something:
        return recommender.rank(histories, Rules(k=K))
    return [scored.pairs.item[chosen] for chosen in recommender.choose(scored, Rules(k=K))]


def _by_blend(scored: Scored, customer: int) -> Counts:
    """Positions of one customer's ranked candidates as the blend alone would order them."""
    mine = np.arange(*scored.offsets[customer : customer + 2])
    return mine[np.lexsort((scored.pairs.item[mine], -scored.blend_scores[mine]))]


def _judge(one: Lists, truth: frozenset[str], ids: ItemIds) -> Iterator[tuple[Key, float]]:
    """Every metric of one customer, on all items, on those bought before, and on those never bought."""
    mine = {ids.id(row) for row in one.bought}
    truths = {"all": truth, "repeat": truth & mine, "explore": truth - mine}
    for method, rows in one.lists.items():
        is_mine = np.isin(rows, one.bought)
        kept = {"all": rows, "repeat": rows[is_mine], "explore": rows[~is_mine]}
        ranked = {split: [ids.id(row) for row in some[:K]] for split, some in kept.items()}
        for split, right in truths.items():
            for metric, measure in METRICS.items():
                yield (method, split, metric), measure(ranked[split], right, K) if right else np.nan
        yield (method, "all", NEW_HIT), hit(ranked["all"], truths["explore"], K)
    for source, split, count in one.found:
        yield (source, split, PROPOSED), count / len(truths[split]) if truths[split] else np.nan
