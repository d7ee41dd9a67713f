"""What each candidate source and each family of features adds: the same cut-offs again, without it.

    .venv/bin/python -m tests.benchmarks.ablation complete_journey --as-of 2017-09-28 --as-of 2017-10-28
    .venv/bin/python -m tests.benchmarks.ablation online_retail --orders path/to/the/published.csv.gz

Without a source its candidates are gone, and both stages stay as they were learned. Without a family the trees are
learned again from the same past returns; the shortlists stay the blend's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import click
import numpy as np
from threadpoolctl import threadpool_limits

from recsvc.domain.arrays import Mask, Rows
from recsvc.domain.detail_features import CATEGORY, COMPANY, CUSTOMER, DEMAND, DETAIL_FEATURES, OWN, PRICE, TIMING
from recsvc.domain.features import BLEND_NAMES, TREE_NAMES
from recsvc.domain.pairs import Pairs
from recsvc.serving.candidates import Proposals
from recsvc.serving.ranking import rank_pairs
from recsvc.serving.recommender import BATCH, Recommender
from recsvc.serving.rules import Rules
from recsvc.serving.scoring import Considered, shortlisted
from recsvc.serving.trees import Trees
from tests.benchmarks.figures import BEYOND_CHANCE, NDCG, print_sheets, shown, signed
from training.backtest import PROPOSED, K, Lists, Replay, judged, pooled, table
from training.config import TrainingConfig, load_config
from training.past_returns import PastReturns
from training.pipeline import day_number, open_trainer
from training.progress import shown_progress
from training.ranker import fit_trees
from training.report import TITLES, Cells, cells_of
from training.sheets import Sheet
from training.source_recall import SPLITS, UNION, found_items
from training.split import GROUPS, Cohort, cohort
from training.trainer import Trainer

WIDTH = 200
DATE = click.DateTime(["%Y-%m-%d"])
BLEND, ALL_SOURCES, ALL_FEATURES = "blend alone", "all sources", "all features"
NEW_BY_BLEND = "new items in the blend's order"
FURTHER = "all but the blend's"
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "the blend's": BLEND_NAMES,
    FURTHER: tuple(feature.name for feature in DETAIL_FEATURES),
    **{
        name: tuple(feature.name for feature in family)
        for name, family in {
            "own purchases": OWN,
            "timing": TIMING,
            "demand": DEMAND,
            "company": COMPANY,
            "price": PRICE,
            "category": CATEGORY,
            "customer": CUSTOMER,
        }.items()
    },
}


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates of a batch, customer by customer, best first."""

    pairs: Pairs

    def of(self, customer: int) -> Rows:
        """Item rows of one customer."""
        return self.pairs.item[slice(*np.searchsorted(self.pairs.customer, [customer, customer + 1]))]


@click.command()
@click.argument("preset")
@click.option("--orders", type=click.Path(), help="File to use instead of orders.path.")
@click.option("--as-of", "days", type=DATE, multiple=True, help="Cut-off; repeatable. Default: those of the preset.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write the tables there as Markdown.")
def main(preset: str, orders: str | None, days: tuple[datetime, ...], markdown: Path | None) -> None:
    """Replay cut-offs without one source or family at a time, and print what was lost."""
    config = load_config(preset, {"orders.path": orders})
    chosen = sorted(day_number(day) for day in ([one.date() for one in days] or config.backtest.as_of))
    with threadpool_limits(1), shown_progress() as progress, open_trainer(config, progress) as (trainer, _):
        settled = trainer.settled(min(chosen))
        found = pooled([replay_without(settled, day) for day in chosen])
    methods = dict.fromkeys(method for method, *_ in found.values)
    sources = [one for one in methods if without(one) in methods]
    cells = {
        **cells_of(table(found, ALL_SOURCES, [without(source) for source in sources])),
        **cells_of(table(found, ALL_FEATURES, [BLEND, NEW_BY_BLEND, *map(without, FAMILIES)])),
    }
    sheets = (
        recall_sheet(cells, [*sources, UNION]),
        loss_sheet(cells, ALL_SOURCES, [without(one) for one in sources]),
        loss_sheet(cells, ALL_FEATURES, [*map(without, FAMILIES), BLEND, NEW_BY_BLEND]),
    )
    print_sheets(sheets, WIDTH, markdown)


def without(name: str) -> str:
    """Name of the method that does without something."""
    return f"without {name}"


def replay_without(trainer: Trainer, day: int) -> Replay:
    """Replay one day with everything, and without each source and family."""
    staged, recommender = trainer.replay(day)
    tested = cohort(staged.past, trainer.truth(day), trainer.config.backtest.silent_floor_days)
    lessons = [trainer.past_returns(past) for past in staged.ranker.label_days]
    config = trainer.config
    trees = {ALL_FEATURES: trees_without(lessons, (), config)}
    trees |= {without(family): trees_without(lessons, names, config) for family, names in FAMILIES.items()}
    return judged(lists_without(recommender, trees, tested), tested, recommender.bundle.items.ids)


def trees_without(lessons: list[PastReturns], names: tuple[str, ...], config: TrainingConfig) -> Trees:
    """Trees learned with some columns set to 0: a constant is never split, so they need not be so when scoring."""
    gone = np.isin(TREE_NAMES, names)
    parts = [replace(one, matrix=np.where(gone, np.float32(0), one.matrix)) for one in lessons]
    whole = [(one, np.ones(len(one), bool)) for one in parts]
    return Trees(fit_trees(whole, config.ranker, 1, config.als.random_state), TREE_NAMES)


def lists_without(recommender: Recommender, trees: Mapping[str, Trees], tested: Cohort) -> Iterator[Lists]:
    """Lists of every tested customer, in order of the cohort."""
    bundle, scorer = recommender.bundle, recommender.scorer
    for start in range(0, len(tested.customer_ids), BATCH):
        histories, _ = bundle.customers.get_many(list(tested.customer_ids[start : start + BATCH]))
        considered, _ = scorer.consider(histories, Rules(k=K))
        names = considered.proposals.names
        scored = {ALL_SOURCES: scorer.score(considered)}
        scored |= {without(name): scorer.score(with_sources(considered, np.not_equal(names, name))) for name in names}
        ranked = {name: Ranked(one.pairs.take(one.order)) for name, one in scored.items()}
        ranked |= _by_trees(recommender, considered, trees)
        for position, customer_id in enumerate(histories.customer_ids):
            truth = bundle.items.ids.known_rows(tested.truth[customer_id])
            found = list(found_items(scored[ALL_SOURCES], position, truth))
            for name in names:
                reduced = found_items(scored[without(name)], position, truth)
                found += [(without(name), split, count) for source, split, count in reduced if source == UNION]
            own = considered.batch.own
            bought = own.item[slice(*own.offsets[position : position + 2])]
            lists = {name: one.of(position) for name, one in ranked.items()}
            lists[NEW_BY_BLEND] = new_by_blend(lists[ALL_FEATURES], lists[BLEND], bought)
            yield Lists(customer_id, lists, bought, tuple(found))


def new_by_blend(by_trees: Rows, by_blend: Rows, bought: Rows) -> Rows:
    """The trees' list, but the places of products never bought filled in the blend's order; same products in both.

    Examples
    --------
    >>> new_by_blend(np.array([7, 1, 8, 9]), np.array([1, 9, 8, 7]), np.array([1]))
    array([9, 1, 8, 7])
    """
    found = by_trees.copy()
    found[~np.isin(by_trees, bought)] = by_blend[~np.isin(by_blend, bought)]
    return found


def with_sources(considered: Considered, kept: Mask) -> Considered:
    """Only the candidates that some sources proposed; `kept` has one entry a source."""
    proposals = considered.proposals
    positions = np.flatnonzero(proposals.by[:, kept].any(axis=1))
    return replace(
        considered,
        proposals=Proposals(proposals.pairs.take(positions), proposals.names, proposals.by[positions]),
        facts=considered.facts.take(positions),
        matrix=considered.matrix[positions],
    )


def recall_sheet(found: Cells, sources: list[str]) -> Sheet:
    """How much of what was bought each source proposed, and all the others together."""
    rows = [
        (
            source.replace("_", " "),
            *(shown(found.get(("all", source, split, PROPOSED))) for split in SPLITS),
            *(shown(found.get(("all", without(source), split, PROPOSED))) for split in ("all", "explore")),
        )
        for source in sources
    ]
    headings = ("source", "proposed by it: all", "bought before", "new items", "by the others: all", "new items")
    return Sheet(f"Share of the items bought that were proposed: {TITLES['all']}", headings, tuple(rows))


def loss_sheet(found: Cells, ours: str, others: list[str]) -> Sheet:
    """What each part adds to NDCG@10, by group, and of new items only."""
    columns = [*((group, "all") for group in GROUPS), ("all", "explore")]
    titles = [*(TITLES[group] for group in GROUPS), f"new items, {TITLES['all']}"]
    sizes = [f"{found[group, ours, split, NDCG].n:,}" for group, split in columns]
    rows = [(ours, *(shown(found.get((group, ours, split, NDCG))) for group, split in columns))]
    rows += [
        (
            other.replace("_", " "),
            *(signed(found.get((group, f"{ours} - {other}", split, NDCG))) for group, split in columns),
        )
        for other in others
    ]
    headings = ("", *(f"{title} (n = {size})" for title, size in zip(titles, sizes, strict=True)))
    return Sheet(f"NDCG@10 with {ours}, and how much of it is lost; {BEYOND_CHANCE}", headings, tuple(rows))


def _by_trees(recommender: Recommender, considered: Considered, trees: Mapping[str, Trees]) -> dict[str, Ranked]:
    bundle = recommender.bundle
    blend_scores = bundle.blend.score(considered.matrix)
    kept, matrix = shortlisted(considered, blend_scores, bundle.shop)
    pairs = considered.pairs.take(kept)
    scores = {BLEND: blend_scores[kept], **{name: some.score(matrix) for name, some in trees.items()}}
    return {name: Ranked(pairs.take(rank_pairs(pairs, values))) for name, values in scores.items()}


if __name__ == "__main__":
    main()
