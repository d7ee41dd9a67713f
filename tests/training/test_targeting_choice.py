from __future__ import annotations

import numpy as np
import pytest

from recsvc.domain.lapse import LapseThresholds
from tests.domain.record_strategies import summary
from tests.training.test_return_value import window
from training.capture import Ranked
from training.errors import FitDidNotConverge
from training.targeting_choice import choose, fit_targeting, run_races, slope_of
from training.transactions import MBG_NBD


def race(learned, past_spend, n=400):
    """Each ordering puts a fifth first, who spend what is said above the others; half of them nine times the rest."""
    unequal = np.where(np.arange(n) // 5 % 2, 1.8, 0.2)
    first = {"learned": np.arange(n) % 5 == 0, "past_spend": np.arange(n) % 5 == 1}
    mean = 10.0 + learned * first["learned"] + past_spend * first["past_spend"]
    scores = {name: chosen.astype(float) for name, chosen in first.items()}
    return Ranked(tuple(map(str, range(n))), scores, mean * unequal)


@pytest.mark.parametrize(
    ("learned", "past_spend", "n", "shipped"),
    [
        (20, 10, 400, "learned"),
        (10, 11, 400, "learned"),  # past spend is ahead, but by no more than chance would have it
        (10, 20, 400, "past_spend"),
        (10, 20, 25, "learned"),  # too few to say so
    ],
)
def test_the_learned_order_is_shipped_unless_past_spend_is_better_beyond_chance(learned, past_spend, n, shipped):
    found, captures = choose([race(learned, past_spend, n)])

    assert found == shipped
    assert (captures["learned"] > captures["past_spend"]) == (learned > past_spend)


def test_the_same_customers_in_three_races_prove_no_more_than_in_one():
    once, thrice = race(10, 17, 150), [race(10, 17, 150)] * 3
    others = [Ranked(tuple(f"{n} {one}" for one in once.customer_ids), once.scores, once.value) for n in range(3)]

    assert choose([once])[0] == choose(thrice)[0] == "learned"
    assert choose(others)[0] == "past_spend"


def test_a_race_for_nobody_decides_nothing():
    nobody = race(10, 20).of(np.zeros(400, bool))

    assert choose([nobody]) == ("learned", {"learned": 0.0, "past_spend": 0.0})
    assert choose([race(10, 20), nobody])[0] == "past_spend"


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

    found = fit_targeting(records, LapseThresholds(), 60, 400, MBG_NBD)

    assert (found.targeting.ordering, found.targeting.returns) == ("btyd", None)
    assert "paid returns" in found.diagnostics.fallback
    assert found.targeting.reason == found.diagnostics.fallback
    assert found.to_json() == {"ordering": "btyd", "reason": found.targeting.reason, "captured": {}}
