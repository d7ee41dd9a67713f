"""The whole way: raw orders in, a published bundle out, or nothing changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from recsvc.bundle.manifest import Manifest
from recsvc.bundle.reader import REPORT
from recsvc.bundle.store import BundleStore
from recsvc.errors import DataError
from recsvc.serving.customer_state import moment_of
from recsvc.serving.recommender import Recommender
from recsvc.serving.rules import Rules
from training.backtest import PROPOSED, Replay, Row, pooled, replay, table
from training.churn_reasons import ChurnReasons
from training.cleaning import CleaningReport
from training.config import TrainingConfig
from training.drift_history import Drift, drift_since
from training.drift_statistics import DRIFT, take_snapshot
from training.gate import Comparison, compare, judge
from training.half_life import HalfLife
from training.intervals import ValueIntervals, value_intervals
from training.model_choice import Choice
from training.progress import Progress
from training.recipes import RECIPE, Rival, recipe_of, rivals
from training.session import open_session
from training.slates import write_slates
from training.staged_files import write_json
from training.staging import Staged
from training.tables import load_tables, prepare
from training.targeting import TargetingTable, replay_targeting, targeting_table
from training.trainer import Trainer, draft_manifest
from training.truth import lines_between
from training.validate import Finding

EPOCH = date(1970, 1, 1)
CUT_OFFS = 3
AFTER_AS_OF = "after_as_of"
SAMPLE = 1000  # customers asked for the share with empty lists


@dataclass(frozen=True, slots=True)
class ValueEvidence:
    """Which transaction model was chosen and why, and how sure the value models are."""

    choice: Choice
    intervals: ValueIntervals


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training run did."""

    manifest: Manifest
    published: bool
    findings: tuple[Finding, ...]
    data: CleaningReport
    cut_offs: tuple[int, ...]
    rows: tuple[Row, ...]
    targeting: TargetingTable | None
    value: ValueEvidence
    churn_reasons: ChurnReasons
    drift: Drift


@dataclass(frozen=True, slots=True)
class BackTest:
    """Tables of the pooled replays; empty, and None, when there was no day to replay."""

    rows: tuple[Row, ...]
    targeting: TargetingTable | None
    replayed: Replay | None = None

    def to_json(self) -> dict[str, Any]:  # JSON
        """Plain values by name."""
        targeting = None if self.targeting is None else self.targeting.to_json()
        ranking = [asdict(row) for row in self.rows if row.metric != PROPOSED]
        sources = [asdict(row) for row in self.rows if row.metric == PROPOSED]
        return {"ranking": ranking, "sources": sources, "targeting": targeting}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run was asked for, beside the config.

    Attributes
    ----------
    as_of_day : days since 1970-01-01, exclusive
    created_at : moment of the run, for the manifest
    as_of_is_today : nobody named a day; refused when the data ended long before
    publish, force : whether to go live when the gate passes, and when it does not
    """

    as_of_day: int
    created_at: datetime
    as_of_is_today: bool = False
    publish: bool = True
    force: bool = False


def fit(config: TrainingConfig, plan: Plan, store: BundleStore, progress: Progress) -> Outcome:
    """Back-test the recipe on the past, train at `as_of`, and publish if the gate lets it.

    A refused bundle is kept, not live, so that it can be looked at or activated by hand.
    """
    with store.staging() as folder, open_trainer(config, progress) as (trainer, findings):
        prepared = trainer.prepared(plan.as_of_day)
        check_is_current(plan, prepared.last_day, config.horizon_days)
        days = [day for day in cut_offs(config, plan.as_of_day, prepared.first_day) if trainer.has_catalogue(day)]
        trainer = trainer.settled(min(days, default=plan.as_of_day))
        tested = run_backtest(trainer, days)
        compared = compare_recipes(rivals(store, config), tested.replayed, days, progress)
        staged = trainer.train(plan.as_of_day, folder)
        recommender = trainer.recommender(staged)
        verdict = judge(tested.rows, empty_share(recommender), tested.targeting, compared, forced=plan.force)
        intervals = intervals_of(staged, recommender)
        write_json(folder / REPORT, report(staged, tested, intervals, trainer.half_life))
        write_json(folder / RECIPE, recipe_of(config))
        write_slates(recommender, progress)
        snapshot = take_snapshot(prepared, recommender.bundle.customer_table, config.horizon_days)
        write_json(folder / DRIFT, snapshot.statistics().to_json())
        drift = drift_since(store, prepared, snapshot)
        manifest = draft_manifest(staged, trainer.config, verdict, headline(tested.rows), plan.created_at)
        publish = plan.publish and manifest.may_go_live
        added = store.add(folder, manifest, live=publish).manifest
    return Outcome(
        manifest=added,
        published=publish,
        findings=findings,
        data=staged.prepared.report,
        cut_offs=tuple(days),
        rows=tested.rows,
        targeting=tested.targeting,
        value=ValueEvidence(staged.customer_fit.choice, intervals),
        churn_reasons=staged.churn_reasons,
        drift=drift,
    )


def check_is_current(plan: Plan, last_day: int, horizon_days: int) -> None:
    """Refuse to train as of today on data that ended more than a horizon ago: everybody would look lost.

    Raises
    ------
    DataError
    """
    silent_days = plan.as_of_day - last_day - 1
    if plan.as_of_is_today and silent_days > horizon_days:
        problem = f"the newest order is {silent_days} days old"
        raise DataError("orders", problem, f"name the day to train at: --as-of {moment_of(last_day + 1):%Y-%m-%d}")


def backtest(config: TrainingConfig, days: list[int], progress: Progress) -> BackTest:
    """Replay the recipe at several days and pool them."""
    with open_trainer(config, progress) as (trainer, _):
        return run_backtest(trainer.settled(min(days)) if days else trainer, days)


def run_backtest(trainer: Trainer, days: list[int]) -> BackTest:
    """Replay at each day, and put the replays into tables."""
    if not days:
        return BackTest((), None)
    replayed = pooled([replay(trainer, day) for day in days])
    targeting = [replay_targeting(trainer, day) for day in days]
    return BackTest(tuple(table(replayed)), targeting_table(targeting), replayed)


def compare_recipes(
    found: Sequence[Rival], ours: Replay | None, days: list[int], progress: Progress
) -> tuple[Comparison, ...]:
    """Train the recipes of earlier bundles at the days ours was trained at, and compare the rankings of returners."""
    if ours is None or not ours.customer_ids:
        return ()
    compared = []
    for rival in found:
        with open_trainer(rival.config, progress.within(f"recipe of {rival.bundle_id}")) as (trainer, _):
            if all(trainer.has_catalogue(day) for day in days):
                settled = trainer.settled(min(days))
                theirs = pooled([replay(settled, day) for day in days])
                compared.append(compare(rival, ours, theirs))
    return tuple(compared)


@contextmanager
def open_trainer(config: TrainingConfig, progress: Progress) -> Iterator[tuple[Trainer, tuple[Finding, ...]]]:
    """Read the data once and offer training at any day of it; every trace is gone afterwards.

    Raises
    ------
    ConfigError, DataError
        If the data cannot be trained on.
    """
    with open_session(config) as session, TemporaryDirectory(dir=session.folder) as scratch:
        with progress.step("reading orders"):
            tables = load_tables(session, config)
        later = partial(lines_between, tables)
        yield Trainer(partial(prepare, tables), later, config, Path(scratch), progress), tables.findings


def cut_offs(config: TrainingConfig, as_of_day: int, first_day: int) -> list[int]:
    """Days to replay before `as_of`: those of the config whose horizon has passed by then, else the latest three.

    Each leaves at least one horizon of history before it.
    """
    latest, earliest = as_of_day - config.horizon_days, first_day + config.horizon_days
    asked = [day for day in map(day_number, config.backtest.as_of) if day <= latest]
    default = [latest - step * config.horizon_days // CUT_OFFS for step in range(CUT_OFFS)]
    return sorted(day for day in (asked or default) if day >= earliest)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def empty_share(recommender: Recommender) -> float:
    """Share of customers, of a bounded sample, whose list is empty; in [0, 1]."""
    ids = recommender.bundle.customer_table["customer_id"].slice(0, SAMPLE).to_pylist()
    histories, _ = recommender.bundle.customers.get_many(ids)
    slates = recommender.rank(histories, Rules())
    return sum(not len(slate) for slate in slates) / len(slates)


def headline(rows: Sequence[Row]) -> dict[str, float]:
    """The few figures of a back-test that belong into the manifest."""
    return {
        f"{row.group} {row.method} ndcg@10": round(row.estimate.mean, 6)
        for row in rows
        if row.split == "all" and row.metric == "ndcg@10"
    }


def intervals_of(staged: Staged, recommender: Recommender) -> ValueIntervals:
    """How sure the value models are, unless empirical rates stand in for one."""
    fitted = staged.customer_fit
    fallback = next((one.fallback for one in fitted.diagnostics[:2] if one.fallback), "")
    if fallback:
        return ValueIntervals(fallback)
    total = float(recommender.bundle.customer_table["clv"].to_numpy().sum())
    models = fitted.models
    return value_intervals(fitted.sample, fitted.n_customers, models.value, models.economics, total)


def report(
    staged: Staged, tested: BackTest, intervals: ValueIntervals, half_life: HalfLife | None
) -> dict[str, Any]:  # JSON
    """Content of `report.json`: the same for the same data, config and seed."""
    fitted = staged.customer_fit
    return {
        "data": asdict(of_the_past(staged.prepared.report)),
        "fits": [one.to_json() for one in (*fitted.diagnostics, staged.targeting.diagnostics)],
        "transaction_model": fitted.choice.to_json(),
        "value_intervals": intervals.to_json(),
        "win_back_order": staged.targeting.to_json(),
        "churn_reasons": staged.churn_reasons.to_json(),
        "half_life": None if half_life is None else half_life.to_json(),
        "ranker": staged.ranker.to_json(),
        "back_test": tested.to_json(),
    }


def of_the_past(data: CleaningReport) -> CleaningReport:
    """The same without the lines on or after `as_of`: how many there are is nothing a bundle of that day may know."""
    later = sum(count.rows for count in data.dropped if count.rule == AFTER_AS_OF)
    dropped = tuple(count for count in data.dropped if count.rule != AFTER_AS_OF)
    return replace(data, rows_read=data.rows_read - later, dropped=dropped)
