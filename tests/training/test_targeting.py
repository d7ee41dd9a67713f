from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from training.calibration import calibration, in_words
from training.capture import CURVE_SHARES
from training.report_targeting import print_targeting
from training.targeting import CAVEAT, CURVES, METHODS, TARGET_GROUPS, TargetingReplay, targeting_table


def replay(shipped="learned", n=40, learned=True, seed=1):
    rng = np.random.default_rng(seed)
    value = np.where(rng.random(n) < 0.5, rng.exponential(100, n), 0.0)
    figures = {name: rng.random(n) for name in ("probability_alive", "recency", "rfm_score", "past_spend", "btyd")}
    figures |= {"probability_of_return": np.full(n, 0.5), "orders": np.ones(n)}
    figures |= {"learned": value + 1.0} if learned else {}
    groups = {name: rng.random(n) < 0.8 for name in TARGET_GROUPS}
    return TargetingReplay(groups, figures, tuple(map(str, range(n))), value, value > 0, shipped)


def test_the_table_holds_every_ordering_and_the_shipped_one_is_the_one_it_names():
    table = targeting_table([replay("learned"), replay("past_spend", seed=2)])

    rows = {(row.group, row.ordering): row for row in table.rows}
    assert set(rows) == {(group, method) for group in TARGET_GROUPS for method in METHODS}
    for group in TARGET_GROUPS:
        assert rows[group, "learned"].estimate.mean == pytest.approx(rows[group, "perfect_knowledge"].estimate.mean)
        low, high = sorted(rows[group, name].estimate.mean for name in ("past_spend", "learned"))
        assert low < rows[group, "shipped"].estimate.mean < high
        assert rows[group, "past_spend"].over_past_spend.mean == 0.0
        assert rows[group, "past_spend"].shipped_over.mean == rows[group, "shipped"].over_past_spend.mean
        ahead, best = rows[group, "rfm_score"].shipped_over, rows[group, "shipped"].estimate.mean
        assert ahead.mean == pytest.approx(best - rows[group, "rfm_score"].estimate.mean)
        assert ahead.low < ahead.mean < ahead.high
        assert rows[group, "shipped"].shipped_over.high == 0.0
    assert table.shipped == ("learned", "past_spend")
    assert table.to_json()["caveat"] == CAVEAT
    assert {(one.group, one.ordering) for one in table.gains} == {(g, o) for g in TARGET_GROUPS for o in CURVES}
    assert {len(one.captured) for one in table.gains} == {len(CURVE_SHARES)}


def test_where_one_cut_off_had_nothing_learned_the_others_rows_stand():
    table = targeting_table([replay("btyd", learned=False), replay("learned", seed=2)])

    assert {row.ordering for row in table.rows} == {*METHODS} - {"learned"}


def test_a_group_of_nobody_has_no_row():
    found = replay()
    nobody = {**found.groups, "win_back_list": np.zeros(40, bool)}

    table = targeting_table([TargetingReplay(nobody, *[getattr(found, n) for n in found.__slots__[1:]])])

    assert {row.group for row in table.rows} == {*TARGET_GROUPS} - {"win_back_list"}
    assert {one.group for one in table.calibration} == {"all", *TARGET_GROUPS} - {"win_back_list"}


def test_a_season_that_moves_everybody_is_told_from_a_wrong_shape():
    rng = np.random.default_rng(3)
    predicted = rng.uniform(0.1, 0.7, 50_000)
    odds = predicted / (1 - predicted) * 2.0
    returned = rng.random(50_000) < odds / (1 + odds)

    found = calibration("all", predicted, returned)

    assert found.ece > 0.1
    assert found.ece_at_level < 0.01
    assert sum(one.n for one in found.bins) == found.n == 50_000
    assert found.ece == pytest.approx(np.mean([abs(one.predicted - one.actual) for one in found.bins]))


def test_intervals_of_the_bins_hold_the_truth_about_as_often_as_they_promise():
    rng = np.random.default_rng(4)
    held = []
    for _ in range(40):
        predicted = rng.uniform(0.1, 0.9, 800)
        held += [
            one.low <= one.predicted <= one.high
            for one in calibration("a", predicted, rng.random(800) < predicted).bins
        ]

    assert 0.92 < np.mean(held) < 0.99


def test_asking_the_same_customers_again_makes_no_interval_narrower():
    rng = np.random.default_rng(5)
    predicted, returned = rng.uniform(0.1, 0.9, 400), rng.random(400) < 0.5

    once = calibration("a", predicted, returned)
    again = calibration("a", np.tile(predicted, 3), np.tile(returned, 3), np.tile(np.arange(400), 3))
    others = calibration("a", np.tile(predicted, 3), np.tile(returned, 3))

    widths = [np.mean([one.high - one.low for one in found.bins]) for found in (once, again, others)]
    assert widths[1] == pytest.approx(widths[0], rel=0.05)
    assert widths[2] < 0.7 * widths[0]


@pytest.mark.parametrize(
    ("odds", "sharpness", "says"),
    [
        (1.0, 1.0, "P(return) means what it says"),
        (2.5, 1.0, "the season moved everybody alike"),
        (1.0, 0.0, "use the order, not the percentages"),
    ],
)
def test_a_calibration_is_put_into_words(odds, sharpness, says):
    rng = np.random.default_rng(6)
    predicted = rng.uniform(0.05, 0.95, 20_000)
    truth = odds * (predicted / (1 - predicted)) ** sharpness

    found = in_words(calibration("all", predicted, rng.random(20_000) < truth / (1 + truth)))

    assert says in found
    assert "were expected to return" in found


def test_the_printed_table_says_what_it_is_not():
    console = Console(width=200, record=True, file=io.StringIO())

    print_targeting(console, targeting_table([replay()]))

    text = console.export_text()
    assert "not causal" in text
    assert "shipped, cut-off by cut-off: learned x 1" in text
    assert "past spend" in text
    assert "shipped minus" in text
