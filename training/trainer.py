"""The training recipe at any day: the live training and every replay of the past are this one class.

What is fitted for a day uses rows before that day only. The ranker of day D is learned on label days whose horizons
ended by D, on what returners bought within them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path

from ibis.expr.types import Table

from recsvc.bundle.manifest import DataWindow, Manifest, Shapes, Verdict
from recsvc.bundle.reader import open_bundle
from recsvc.bundle.store import BundleFolder
from recsvc.serving.customer_state import moment_of
from recsvc.serving.recommender import Recommender
from training.config import TrainingConfig
from training.config_recipe import USUAL_HALF_LIFE_DAYS
from training.half_life import HalfLife, choose_half_life
from training.past_returns import PastReturns, past_returns
from training.progress import Progress
from training.ranker import RankerFit, fit_ranker, no_ranker
from training.split import Truth
from training.staged_files import write_ranker
from training.staging import Staged, fold_in_convention, stage
from training.tables import Prepared
from training.truth import first_orders, spend_after

Prepare = Callable[[int], Prepared]
LinesBetween = Callable[[int, int], Table]
LABEL_DAYS = 3  # one alone lost .005 of NDCG@10 on validation
LABEL_STEP_DAYS = 15  # apart, and on one grid for all days, so that replays near each other share them
UNPUBLISHED = datetime(1970, 1, 1, tzinfo=UTC)


class Trainer:
    """Trains at one day after the other, computing what two days share only once.

    Parameters
    ----------
    prepare
        Cuts, cleans and summarises at a day.
    lines_between
        What was bought from a day to before another.
    scratch
        Folder for replays; the caller removes it.
    half_life
        How that of the config was chosen; None where it was given.
    """

    def __init__(
        self,
        prepare: Prepare,
        lines_between: LinesBetween,
        config: TrainingConfig,
        scratch: Path,
        progress: Progress,
        half_life: HalfLife | None = None,
    ) -> None:
        self.config, self.half_life = config, half_life
        self._scratch, self._progress = scratch, progress
        self.prepared = cache(prepare)
        self._lines_between = cache(lines_between)
        self.replay = cache(self._replay)
        self.truth = cache(self._truth)
        self.spend_after = cache(self._spend_after)
        self.ranker_learned_on = lru_cache(maxsize=1)(self._ranker_learned_on)
        self.past_returns = lru_cache(maxsize=LABEL_DAYS)(self._past_returns)
        self._staged: dict[tuple[int, bool], Staged] = {}

    def settled(self, day: int) -> Trainer:
        """The same with what the config leaves to the data chosen, by what was known at a day."""
        if self.config.als.half_life_days is not None:
            return self
        days = self._teaching_days(day)
        if days:
            chosen = choose_half_life(self.prepared(days[0]), self.truth(days[0]))
        else:
            chosen = HalfLife(USUAL_HALF_LIFE_DAYS, "there is no past to choose by")
        als = self.config.als.model_copy(update={"half_life_days": chosen.days})
        config = self.config.model_copy(update={"als": als})
        return Trainer(self.prepared, self._lines_between, config, self._scratch, self._progress, chosen)

    def train(self, day: int, folder: Path) -> Staged:
        """Fit everything at a day into `folder`."""
        return self._ranked(day, self._stage(day, folder, targeted=True, explained=True))

    def learned_ranker(self, day: int) -> RankerFit:
        """Ranker for a day; a stand-in where there is no past to learn it from."""
        days = self._teaching_days(day)
        if not days:
            return no_ranker()
        return self.ranker_learned_on(tuple(days))

    def has_catalogue(self, day: int) -> bool:
        """Whether enough was sold before a day to recommend anything: a shop may begin with a few sales."""
        return self.prepared(day).n_catalogue > 0

    def recommender(self, staged: Staged) -> Recommender:
        """Open a staged folder the way a published bundle is opened."""
        manifest = draft_manifest(staged, self.config, Verdict(passed=False), {})
        return Recommender(open_bundle(BundleFolder(staged.folder, manifest)))

    def _replay(self, day: int) -> tuple[Staged, Recommender]:
        staged = self._ranked(day, self._staged_replay(day, targeted=True))
        return staged, self.recommender(staged)

    def _ranked(self, day: int, staged: Staged) -> Staged:
        found = self.learned_ranker(day)
        write_ranker(staged.folder, found)
        return replace(staged, ranker=found)

    def _teaching_days(self, day: int) -> list[int]:
        """Label days for a day on which there was something to recommend, latest first."""
        first_day = self.prepared(day).first_day
        days = label_days(day, self.config.horizon_days)
        return [past for past in days if past > first_day and self.has_catalogue(past)]

    def _ranker_learned_on(self, days: tuple[int, ...]) -> RankerFit:
        lessons = [self.past_returns(past) for past in days]
        with self._progress.step("ranker"):
            found = fit_ranker(lessons, self.config.ranker, self.config.engine.threads, self.config.als.random_state)
        return replace(found, label_days=days)

    def _past_returns(self, day: int) -> PastReturns:
        recommender = self.recommender(self._staged_replay(day, targeted=False))
        return past_returns(recommender, self.truth(day), self.config.als.random_state, self.config.ranker.blend_ridge)

    def _staged_replay(self, day: int, *, targeted: bool) -> Staged:
        """Stage a past day once; to learn a ranker from it, the win-back list needs no order."""
        for key in ((day, True), (day, targeted)):
            if key in self._staged:
                return self._staged[key]
        folder = self._scratch / f"{day}{'' if targeted else '-for-ranker'}"
        folder.mkdir()
        self._staged[day, targeted] = self._stage(day, folder, targeted=targeted)
        return self._staged[day, targeted]

    def _stage(self, day: int, folder: Path, *, targeted: bool, explained: bool = False) -> Staged:
        progress = self._progress.within(f"{moment_of(day):%Y-%m-%d}")
        return stage(self.prepared(day), self.config, folder, progress, targeted=targeted, explained=explained)

    def _truth(self, day: int) -> Truth:
        return first_orders(self._lines_between(day, day + self.config.horizon_days))

    def _spend_after(self, day: int) -> Mapping[str, float]:
        return spend_after(self._lines_between(day, day + self.config.horizon_days))


def label_days(day: int, horizon_days: int) -> list[int]:
    """Days to learn the ranker of a day from, latest first: their horizons ended by then."""
    latest = (day - horizon_days) // LABEL_STEP_DAYS * LABEL_STEP_DAYS
    return [latest - step * LABEL_STEP_DAYS for step in range(LABEL_DAYS)]


def draft_manifest(
    staged: Staged,
    config: TrainingConfig,
    verdict: Verdict,
    metrics: dict[str, float],
    created_at: datetime = UNPUBLISHED,
) -> Manifest:
    """Manifest of a staged folder, before its files are digested."""
    prepared, asked = staged.prepared, config.ranking.explore_slots
    explore_slots = staged.ranker.explore_slots if asked is None else asked
    return Manifest(
        created_at=created_at,
        as_of=moment_of(prepared.as_of_day),
        horizon_days=config.horizon_days,
        currency=config.currency,
        window=DataWindow(
            first_order_on=f"{moment_of(prepared.first_day):%Y-%m-%d}",
            last_order_on=f"{moment_of(prepared.last_day):%Y-%m-%d}",
            lines=prepared.n_lines,
            fingerprint=staged.fingerprint,
        ),
        config_digest=config.digest(),
        item_ids_digest=prepared.item_ids_digest(),
        shapes=Shapes(
            customers=len(prepared.customer_ids),
            items=len(prepared.items),
            catalogue=prepared.n_catalogue,
            factors=config.als.factors,
        ),
        fold_in=fold_in_convention(config.als),
        ranking={"explore_slots": explore_slots, "recent_days": config.ranking.recent_days},
        metrics=metrics,
        verdict=verdict,
    )
