from __future__ import annotations

import numpy as np
import pytest

from recsvc.domain.lapse import LapseThresholds
from recsvc.domain.return_model import ORDERINGS
from tests.domain.record_strategies import summary
from tests.training.test_return_value import window
from training.capture import Ranked
from training.errors import FitDidNotConverge
from training.targeting_choice import TIE, choose, fit_targeting, run_races, slope_of


def race(**captured):
    """Five people of whom each ordering picks one, worth what it is said to capture, of 1000."""
    value = np.array([*captured.values(), 1000 - sum(captured.values())], float)
    scores = {name: np.eye(5)[position] for position, name in enumerate(captured)}
    return Ranked(tuple("abcde"), scores, value)


@pytest.mark.parametrize(
    ("learned", "rank_average", "btyd", "past_spend", "winner"),
    [
        (300, 200, 200, 200, "learned"),
        (200, 200, 200, 300, "past_spend"),
        (200, 100, 300, 100, "btyd"),
        (295, 200, 200, 300, "learned"),  # the races cannot tell them apart
        (285, 295, 100, 300, "rank_average"),
        (285, 285, 130, 300, "past_spend"),
    ],
)
def test_the_best_wins_and_of_those_alike_the_first_on_the_list(learned, rank_average, btyd, past_spend, winner):
    found, captures = choose([race(learned=learned, rank_average=rank_average, btyd=btyd, past_spend=past_spend)])

    assert found == winner
    assert captures["learned"] == pytest.approx(learned / 1000)
    assert captures[found] >= captures["past_spend"] - TIE


def test_a_race_is_run_on_a_model_of_windows_that_had_ended():
    windows = [window(day) for day in (1000, 970, 910, 880, 800)]

    races = run_races(windows, 90)

    assert [one.window.day for one in races] == [1000, 970, 910]
    np.testing.assert_array_equal(races[1].model.mean, run_races([windows[1], *windows[3:]], 90)[0].model.mean)
    assert 0.8 < slope_of(races) < 1.6


def test_without_a_window_before_another_there_is_no_race():
    with pytest.raises(FitDidNotConverge, match="no past horizon with another one before it"):
        run_races([window(1000), window(970)], 90)


def test_too_little_past_leaves_btyd_and_says_so():
    records = summary({f"c{n}": [(day, 1, 1, 1000) for day in range(n, 400, 30 + n)] for n in range(12)})

    found = fit_targeting(records, LapseThresholds(), 60, 400)

    assert (found.targeting.ordering, found.targeting.returns) == ("btyd", None)
    assert "paid returns" in found.diagnostics.fallback
    assert found.targeting.reason == found.diagnostics.fallback
    assert found.to_json()["ordering"] in ORDERINGS
