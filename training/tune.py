"""Searching settings on days that no back-test looks at.

Every validation day's horizon ends before the first test cut-off, so what is chosen here can be tested there. Trials
lie in a file: a search that was stopped goes on where it was, and one that was extended knows all before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import optuna
from optuna.storages.journal import JournalFileBackend, JournalStorage

from recsvc.errors import DataError
from training.backtest import PAIRED, replay
from training.config import TrainingConfig
from training.pipeline import cut_offs
from training.progress import Progress, no_progress
from training.session import open_session
from training.tables import Prepared, Tables, load_tables, prepare
from training.trainer import LABEL_STEP_DAYS, LinesBetween, Trainer
from training.truth import lines_between

VALIDATION_DAYS = 2
SEED = 7
WARM_UP = 8  # trials before any is given up half-way
FINISHED = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
SEARCHED: Mapping[str, tuple[float, float]] = {  # lowest and highest, on a log scale; whole numbers stay whole
    "als.factors": (32, 128),
    "als.regularization": (1.0, 50.0),
    "als.alpha": (0.2, 5.0),
    "als.winback_weight": (1.0, 3.0),
    "ranking.recent_days": (7, 56),
    "ranker.leaves": (7, 31),
    "ranker.learning_rate": (0.02, 0.1),
    "ranker.min_pairs_in_leaf": (30, 300),
    "ranker.blend_ridge": (0.01, 1.0),
}
Settings = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Data:
    """What trials share: data at a day by the window of "lately", and what was bought between two days."""

    prepared: Callable[[int, int], Prepared]
    lines_between: LinesBetween


@dataclass(frozen=True, slots=True)
class Trial:
    """Settings that were tried; `ndcg` is the mean NDCG@10 of the ranking over validation days."""

    number: int
    settings: Settings
    ndcg: float


@dataclass(frozen=True, slots=True)
class Search:
    """What a search has found so far.

    Attributes
    ----------
    days : validation days, days since 1970-01-01, the earliest first
    current : the trial of the config's own settings
    trials : all that were finished, the best first
    importance : share of the variance between trials that each setting explains; empty with too few trials
    given_up : trials stopped after a bad first day
    """

    days: tuple[int, ...]
    current: Trial
    trials: tuple[Trial, ...]
    importance: Mapping[str, float]
    given_up: int


def tune(config: TrainingConfig, as_of_day: int, n_trials: int, file: Path, progress: Progress) -> Search:
    """Try the config's own settings, then others, until the file holds `n_trials`.

    Raises
    ------
    DataError
        If there is too little history before the first test cut-off.

    References
    ----------
    Akiba et al. (2019), Optuna: A Next-generation Hyperparameter Optimization Framework, KDD
    """
    with open_session(config) as session:
        with progress.step("reading orders"):
            tables = load_tables(session, config)
        first_day = prepare(tables, as_of_day).first_day
        days = validation_days(config, as_of_day, first_day)
        study = open_study(config, days, file)
        study.enqueue_trial(dict(settings_of(config)), skip_if_exists=True)
        data = Data(
            prepared=cache(lambda recent_days, day: _prepared(tables, recent_days, day)),
            lines_between=cache(lambda from_day, until_day: lines_between(tables, from_day, until_day)),
        )
        with TemporaryDirectory() as scratch:
            config = _trainer(config, data, scratch).settled(days[0]).config
        with progress.step("trials") as done:
            while (n_done := len(study.get_trials(states=FINISHED))) < n_trials:
                done(max(n_done, 1) / n_trials)
                study.optimize(lambda trial: _objective(trial, config, days, data), n_trials=1)
    return found(study, config, days)


def validation_days(config: TrainingConfig, as_of_day: int, first_day: int) -> tuple[int, ...]:
    """Latest days whose horizon ends by the first test cut-off, with a horizon of history before as these have."""
    tested = cut_offs(config, as_of_day, first_day)
    latest = min(tested) - config.horizon_days if tested else first_day
    days = [latest - step * LABEL_STEP_DAYS for step in range(VALIDATION_DAYS)]
    usable = tuple(sorted(day for day in days if day >= first_day + config.horizon_days))
    if not usable:
        problem = "too little history before the first test cut-off to tune on"
        raise DataError("orders", problem, "bring more history, or test at later cut-offs only (backtest.as_of)")
    return usable


def open_study(config: TrainingConfig, days: tuple[int, ...], file: Path) -> optuna.Study:
    """Begin the study of this config and these days, or go on with it; other studies may lie in the same file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # what it tells of each trial is in the table
    asked = f"{with_settings(config, settings_of(TrainingConfig())).digest()} {days}"
    return optuna.create_study(
        study_name=hashlib.sha256(asked.encode()).hexdigest()[:12],
        storage=JournalStorage(JournalFileBackend(str(file))),
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=SEED),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=WARM_UP),
        load_if_exists=True,
    )


def found(study: optuna.Study, config: TrainingConfig, days: tuple[int, ...]) -> Search:
    """Read a study."""
    complete = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    trials = [Trial(one.number, dict(one.params), float(one.value or 0.0)) for one in complete]
    current = next(one for one in trials if one.settings == settings_of(config))
    return Search(
        days=days,
        current=current,
        trials=tuple(sorted(trials, key=lambda one: (-one.ndcg, one.number))),
        importance=_importance(study) if len(trials) >= WARM_UP else {},
        given_up=len(study.get_trials(states=(optuna.trial.TrialState.PRUNED,))),
    )


def settings_of(config: TrainingConfig) -> Settings:
    """What a config says of the settings that are searched."""
    return {name: getattr(getattr(config, name.split(".")[0]), name.split(".")[1]) for name in SEARCHED}


def with_settings(config: TrainingConfig, settings: Settings) -> TrainingConfig:
    """Return the same config with some settings changed."""
    for name, value in settings.items():
        section, key = name.split(".")
        config = config.model_copy(update={section: getattr(config, section).model_copy(update={key: value})})
    return config


def _objective(trial: optuna.Trial, config: TrainingConfig, days: tuple[int, ...], data: Data) -> float:
    changed = with_settings(config, dict(_suggested(trial, settings_of(config))))
    values: list[float] = []
    with TemporaryDirectory() as scratch:
        trainer = _trainer(changed, data, scratch)
        for step, day in enumerate(days):
            values.append(float(np.mean(replay(trainer, day).values["ranking", "all", PAIRED])))
            trial.report(values[-1], step)
            if step + 1 < len(days) and trial.should_prune():
                raise optuna.TrialPruned
    return float(np.mean(values))


def _trainer(config: TrainingConfig, data: Data, scratch: str) -> Trainer:
    prepared = partial(data.prepared, config.ranking.recent_days)
    return Trainer(prepared, data.lines_between, config, Path(scratch), no_progress())


def _suggested(trial: optuna.Trial, current: Settings) -> Iterator[tuple[str, float]]:
    """One value a setting, within its range or beyond it as far as the config itself is."""
    for name, (low, high) in SEARCHED.items():
        low, high = min(low, current[name]), max(high, current[name])
        if isinstance(current[name], int):
            yield name, trial.suggest_int(name, int(low), int(high), log=True)
        else:
            yield name, trial.suggest_float(name, low, high, log=True)


def _prepared(tables: Tables, recent_days: int, day: int) -> Prepared:
    config = with_settings(tables.config, {"ranking.recent_days": recent_days})
    return prepare(replace(tables, config=config), day)


def _importance(study: optuna.Study) -> Settings:
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))
