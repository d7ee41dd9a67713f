"""How good the recommendations are beside EASE, item-kNN and TIFU-kNN: the back-test's protocol, tables and intervals.

    .venv/bin/python -m tests.benchmarks.peers complete_journey
    .venv/bin/python -m tests.benchmarks.peers online_retail --orders path/to/the/published.csv.gz

Every peer is tuned on one day whose horizon ends by the first cut-off that is tested, and has the same catalogue,
records and cut-offs as the recommender.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from threadpoolctl import threadpool_limits

from recsvc.domain.arrays import Factors, Rows
from tests.benchmarks import ease, item_knn, tifu_knn
from tests.benchmarks.figures import BEYOND_CHANCE, comparison_sheet, print_sheets
from tests.benchmarks.peer_past import PeerPast, peer_past
from training.backtest import K, Replay, judged, lists_of, pooled, table
from training.baselines import als_alone
from training.config import TrainingConfig, load_config
from training.metrics import ndcg
from training.pipeline import day_number, open_trainer
from training.progress import shown_progress
from training.report import cells_of
from training.sheets import Sheet
from training.trainer import Trainer

WIDTH = 160
OWN = " + own"
Settings = Any  # a frozen dataclass of the peer's module


@dataclass(frozen=True, slots=True)
class Peer:
    """A method with the settings it may have."""

    name: str
    scores: Callable[[PeerPast, Settings], Factors]
    grid: tuple[Settings, ...]


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best settings of a peer, and what they reached where they were chosen."""

    peer: Peer
    name: str
    settings: Settings
    ndcg: float


PEERS = (
    Peer("EASE", ease.scores, ease.GRID),
    Peer("item-kNN", item_knn.scores, item_knn.GRID),
    Peer("TIFU-kNN", tifu_knn.scores, tifu_knn.GRID),
)


@click.command()
@click.argument("preset")
@click.option("--orders", type=click.Path(), help="File to use instead of orders.path.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write the tables there as Markdown.")
def main(preset: str, orders: str | None, markdown: Path | None) -> None:
    """Tune the peers, replay the cut-offs of a preset, and print who did how well."""
    config = load_config(preset, {"orders.path": orders})
    with threadpool_limits(1), shown_progress() as progress, open_trainer(config, progress) as (trainer, _):
        validation, trainer = validation_day(config), trainer.settled(day_number(min(config.backtest.as_of)))
        with progress.step("tuning peers"):
            tuned = tune(peer_past(trainer, validation))
        replays = [replay_beside(trainer, day_number(day), tuned) for day in sorted(config.backtest.as_of)]
    others = ("p_topfreq", "blend", *(one.name for one in tuned))
    found = cells_of(table(pooled(replays), others=others))
    sheets = [
        tuning_sheet(tuned, validation),
        *(
            comparison_sheet(f"{title}; below, ranking minus it, {BEYOND_CHANCE}", found, split, "ranking", others)
            for title, split in (("NDCG@10", "all"), ("NDCG@10 of new items only", "explore"))
        ),
    ]
    print_sheets(sheets, WIDTH, markdown)


def validation_day(config: TrainingConfig) -> int:
    """Latest day whose horizon ends by the first cut-off."""
    return day_number(min(config.backtest.as_of)) - config.horizon_days


def tune(past: PeerPast) -> list[Tuned]:
    """Settings of highest NDCG@10 over the regular customers; of EASE and item-kNN also as published, without `own`."""
    found = []
    for peer in PEERS:
        reached = {settings: _mean_ndcg(past, peer.scores(past, settings)) for settings in peer.grid}
        plain = [settings for settings in reached if not getattr(settings, "own", 0.0)]
        versions = {peer.name: plain} if len(plain) == len(reached) else {peer.name: plain, peer.name + OWN: reached}
        for name, allowed in versions.items():
            best = max(allowed, key=reached.__getitem__)
            found.append(Tuned(peer, name, best, reached[best]))
    return found


def replay_beside(trainer: Trainer, day: int, tuned: list[Tuned]) -> Replay:
    """Replay one day with the lists of the peers beside those of the recommender."""
    _, recommender = trainer.replay(day)
    past = peer_past(trainer, day)
    lists = peer_lists(past, tuned)
    shown = (
        replace(one, lists={**one.lists, **theirs})
        for one, theirs in zip(lists_of(recommender, past.tested), lists, strict=True)
    )
    return judged(shown, past.tested, past.ids)


def peer_lists(past: PeerPast, tuned: list[Tuned]) -> Iterator[Mapping[str, Rows]]:
    """Lists of every tested customer by each peer, long enough for ten products never bought."""
    scores = {one.name: one.peer.scores(past, one.settings) for one in tuned}
    lines = np.diff(past.histories.line_offsets)[past.asked]
    for place, n_lines in enumerate(lines):
        yield {name: als_alone(found[place], int(n_lines) + K) for name, found in scores.items()}


def tuning_sheet(tuned: list[Tuned], day: int) -> Sheet:
    """Return what was chosen."""
    rows = [(one.name, str(len(one.peer.grid)), str(one.settings), f"{one.ndcg:.4f}") for one in tuned]
    title = f"Peers, tuned on {np.datetime64(day, 'D')}"
    return Sheet(title, ("peer", "settings tried", "chosen", "NDCG@10 there"), tuple(rows), words=(0, 2))


def _mean_ndcg(past: PeerPast, scores: Factors) -> float:
    ids, truth = past.ids, past.tested.truth
    regular = np.flatnonzero(past.tested.groups["all"])
    values = [
        ndcg([ids.id(row) for row in als_alone(scores[place], K)], truth[past.tested.customer_ids[place]], K)
        for place in regular
    ]
    return float(np.mean(values))


if __name__ == "__main__":
    main()
