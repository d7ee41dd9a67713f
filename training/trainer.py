"""The training recipe at any day: the live training and every replay of the past are this one class.

What is fitted for a day uses rows before that day only. The blend of day D is learned at D - horizon, on what returners
bought between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from recsvc.bundle.manifest import DataWindow, Manifest, Shapes, Verdict
from recsvc.bundle.reader import open_bundle
from recsvc.bundle.store import BundleFolder
from recsvc.domain.blending import LinearBlend
from recsvc.serving.customer_state import moment_of
from recsvc.serving.recommender import Recommender
from training.config import TrainingConfig
from training.progress import Progress
from training.ranker import fit_blend, prior_blend
from training.split import Truth
from training.staging import Staged, fold_in_convention, stage, write_blend
from training.tables import Prepared
from training.truth import first_orders, spend_after

Prepare = Callable[[int], Prepared]
UNPUBLISHED = datetime(1970, 1, 1, tzinfo=UTC)


class Trainer:
    """Trains at one day after the other, computing what two days share only once.

    Parameters
    ----------
    prepare
        Cuts, cleans and summarises at a day.
    scratch
        Folder for replays; the caller removes it.
    """

    def __init__(self, prepare: Prepare, config: TrainingConfig, scratch: Path, progress: Progress) -> None:
        self.config = config
        self._scratch, self._progress = scratch, progress
        self.prepared = cache(prepare)
        self.replay = cache(self._replay)
        self.truth = cache(self._truth)
        self.spend_after = cache(self._spend_after)
        self._staged: dict[tuple[int, bool], Staged] = {}

    def train(self, day: int, folder: Path) -> Staged:
        """Fit everything at a day into `folder`."""
        staged = self._stage(day, folder, targeted=True, explained=True)
        write_blend(folder, self.learned_blend(day))
        return staged

    def learned_blend(self, day: int) -> LinearBlend:
        """Blend for a day; the prior where there is no past to learn it from."""
        past = day - self.config.horizon_days
        if past <= self.prepared(day).first_day or not self.has_catalogue(past):
            return prior_blend()
        staged = self._staged_replay(past, targeted=False)
        return fit_blend(self.recommender(staged), self.truth(past), self.config.als.random_state)

    def has_catalogue(self, day: int) -> bool:
        """Whether enough was sold before a day to recommend anything: a shop may begin with a few sales."""
        return self.prepared(day).n_catalogue > 0

    def recommender(self, staged: Staged) -> Recommender:
        """Open a staged folder the way a published bundle is opened."""
        manifest = draft_manifest(staged, self.config, Verdict(passed=False), {})
        return Recommender(open_bundle(BundleFolder(staged.folder, manifest)))

    def _replay(self, day: int) -> tuple[Staged, Recommender]:
        staged = self._staged_replay(day, targeted=True)
        write_blend(staged.folder, self.learned_blend(day))
        return staged, self.recommender(staged)

    def _staged_replay(self, day: int, *, targeted: bool) -> Staged:
        """Stage a past day once; to learn a blend from it, the win-back list needs no order."""
        for key in ((day, True), (day, targeted)):
            if key in self._staged:
                return self._staged[key]
        folder = self._scratch / f"{day}{'' if targeted else '-for-blend'}"
        folder.mkdir()
        self._staged[day, targeted] = self._stage(day, folder, targeted=targeted)
        return self._staged[day, targeted]

    def _stage(self, day: int, folder: Path, *, targeted: bool, explained: bool = False) -> Staged:
        progress = self._progress.within(f"{moment_of(day):%Y-%m-%d}")
        return stage(self.prepared(day), self.config, folder, progress, targeted=targeted, explained=explained)

    def _truth(self, day: int) -> Truth:
        return first_orders(self.prepared(day + self.config.horizon_days), day)

    def _spend_after(self, day: int) -> Mapping[str, float]:
        return spend_after(self.prepared(day + self.config.horizon_days), day)


def draft_manifest(
    staged: Staged,
    config: TrainingConfig,
    verdict: Verdict,
    metrics: dict[str, float],
    created_at: datetime = UNPUBLISHED,
) -> Manifest:
    """Manifest of a staged folder, before its files are digested."""
    prepared = staged.prepared
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
        ranking={"explore_slots": config.ranking.explore_slots, "recent_days": config.ranking.recent_days},
        metrics=metrics,
        verdict=verdict,
    )
