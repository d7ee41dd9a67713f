"""Which ordering of the win-back list to ship: the learned one, unless past spend was better in races over the past.

In each race the return model is fitted on windows that had ended when the race began, so it is out of time there, on
less past than the one that is shipped. A few horizons of one shop cannot tell orderings apart that are about as good,
so past spend has to be better beyond chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.history import Histories
from recsvc.domain.lapse import LapseThresholds
from recsvc.domain.return_model import LEARNED, PAST_SPEND, ReturnModel, Targeting, btyd_targeting
from recsvc.domain.transactions import TransactionModel
from training.capture import Ranked, capture, capture_samples, interval
from training.errors import FitDidNotConverge
from training.maximum_likelihood import Diagnostics
from training.past_windows import Window, past_windows
from training.return_value import RETURN_MODEL, calibration_slope, fit_return_model
from training.transactions import Recipe

RACES = 3
RACERS = (LEARNED, PAST_SPEND)
FLOOR = 1e-12


@dataclass(frozen=True, slots=True)
class Race:
    """One past horizon, and what a model of that day said about it."""

    window: Window
    model: ReturnModel


@dataclass(frozen=True, slots=True)
class TargetingFit:
    """The choice of one training, what it rests on, and how the return model was come by."""

    targeting: Targeting
    captures: dict[str, float]
    diagnostics: Diagnostics

    def to_json(self) -> dict[str, Any]:  # JSON
        """What was chosen and why, for the report."""
        return {"ordering": self.targeting.ordering, "reason": self.targeting.reason, "captured": self.captures}


def fit_targeting(
    histories: Histories,
    thresholds: LapseThresholds,
    horizon_days: int,
    as_of_day: int,
    recipe: Recipe[TransactionModel],
) -> TargetingFit:
    """Fit the return model and choose the ordering; BTYD, flagged, where there is too little past for either.

    Parameters
    ----------
    histories
        Records of the sample, all orders before `as_of_day`.
    recipe
        Of the transaction model that is served.
    """
    windows = past_windows(histories, thresholds, horizon_days, as_of_day, recipe)
    n_rows = sum(map(len, windows))
    try:
        races = run_races(windows, horizon_days)
        model = fit_return_model(windows, horizon_days, slope_of(races))
    except FitDidNotConverge as reason:
        return no_targeting(str(reason), n_rows)
    ordering, captures = choose([ranked_window(race) for race in races])
    shown = ", ".join(f"{name} {captures[name]:.3f}" for name in RACERS)
    reason_why = f"spend captured by the top 20 % in {len(races)} past horizons: {shown}"
    return TargetingFit(Targeting(ordering, model, reason_why), captures, Diagnostics(RETURN_MODEL, n_rows))


def no_targeting(reason: str = "nothing else was tried", n_rows: int = 0) -> TargetingFit:
    """Stand in with BTYD, and say why."""
    return TargetingFit(btyd_targeting(reason), {}, Diagnostics(RETURN_MODEL, n_rows, fallback=reason))


def run_races(windows: Sequence[Window], horizon_days: int) -> list[Race]:
    """The latest windows that earlier ones can be judged on.

    Raises
    ------
    FitDidNotConverge
        If there is no such window.
    """
    races, problem = [], "there is no past horizon with another one before it"
    for window in windows[:RACES]:
        earlier = [one for one in windows if one.day + horizon_days <= window.day]
        if not earlier:
            break
        try:
            races.append(Race(window, fit_return_model(earlier, horizon_days)))
        except FitDidNotConverge as reason:
            problem = reason.problem
    if not races:
        raise FitDidNotConverge(RETURN_MODEL, problem)
    return races


def slope_of(races: Sequence[Race]) -> float:
    """Calibration slope over the races."""
    odds = [_log_odds(race.model.probability_of_return(race.window.features)) for race in races]
    return calibration_slope(np.concatenate(odds), np.concatenate([race.window.returned for race in races]))


def ranked_window(race: Race) -> Ranked:
    """The late, lapsed and lost of a race, scored by both orderings."""
    window, who = race.window, race.window.targeted
    features = window.features[who]
    learned = race.model.probability_of_return(features) * race.model.value_given_return(features)
    scores = {LEARNED: learned, PAST_SPEND: window.past_spend[who]}
    return Ranked(tuple(map(str, window.customer_row[who])), scores, window.value[who])


def choose(races: Sequence[Ranked]) -> tuple[str, dict[str, float]]:
    """Name of the ordering to ship, and what each captured; the learned one where there was nobody to race for."""
    captures, run = {name: capture(races, name) for name in RACERS}, [race for race in races if len(race.value)]
    if not run:
        return LEARNED, captures
    samples = capture_samples(run, RACERS)
    over = interval(captures[PAST_SPEND] - captures[LEARNED], samples[PAST_SPEND] - samples[LEARNED])
    return PAST_SPEND if over.low > 0 else LEARNED, captures


def _log_odds(probability: Vector) -> Vector:
    clipped = np.clip(probability, FLOOR, 1.0 - FLOOR)
    return np.asarray(np.log(clipped) - np.log1p(-clipped), np.float64)
