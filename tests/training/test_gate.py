from __future__ import annotations

import pytest

from training.backtest import Row
from training.config import TrainingConfig
from training.gate import Comparison, judge
from training.metrics import Estimate
from training.recipes import Rival
from training.targeting import TARGET_GROUPS, CaptureRow, TargetingTable


def compared(mean, low, high, n=100, group="all"):
    return Row(group, "ranking - p_topfreq", "all", "ndcg@10", n, Estimate(mean, low, high))


@pytest.mark.parametrize(
    ("mean", "low", "high", "passes"),
    [
        (0.02, 0.01, 0.03, True),
        (-0.003, -0.004, -0.001, True),  # surely worse, but by less than the tolerance
        (-0.02, -0.05, 0.01, True),  # worse, but it may be chance
        (-0.02, -0.03, -0.01, False),
    ],
)
def test_a_recipe_is_refused_when_it_is_surely_and_noticeably_worse(mean, low, high, passes):
    verdict = judge([compared(mean, low, high)], empty_share=0.0, forced=False)

    assert verdict.passed is passes
    assert bool(verdict.reasons) is not passes
    assert passes or "below P-TopFreq" in verdict.reasons[0]


def test_other_groups_and_metrics_do_not_decide():
    rows = [compared(0.01, 0.0, 0.02), compared(-0.5, -0.6, -0.4, group="lapsed")]

    assert judge(rows, empty_share=0.0, forced=False).passed


@pytest.mark.parametrize("rows", [[], [compared(-0.5, -0.6, -0.4, n=29)]])
def test_too_few_returners_judge_nothing_and_it_says_so(rows):
    verdict = judge(rows, empty_share=0.0, forced=False)

    assert verdict.passed
    assert "not judged" in verdict.reasons[0]


def test_customers_who_would_be_shown_nothing_refuse_a_bundle():
    verdict = judge([compared(0.02, 0.01, 0.03)], empty_share=0.25, forced=False)

    assert not verdict.passed
    assert "25.0%" in verdict.reasons[0]


def against(mean, low, high, n=100):
    rival = Rival("20260101-0123456789ab", TrainingConfig(), ("als.factors 64 -> 8",))
    return Comparison(rival, n, Estimate(mean, low, high))


def test_a_recipe_that_ranks_worse_than_one_that_was_live_is_refused_and_told_what_changed():
    verdict = judge([compared(0.02, 0.01, 0.03)], 0.0, None, [against(-0.02, -0.03, -0.01)], forced=False)

    assert not verdict.passed
    assert "20260101-0123456789ab (als.factors 64 -> 8): -0.0200" in verdict.reasons[0]


@pytest.mark.parametrize(
    "comparison",
    [
        against(0.01, 0.0, 0.02),
        against(-0.004, -0.005, -0.001),
        against(-0.02, -0.05, 0.01),
        against(-0.1, -0.2, -0.05, 29),
    ],
    ids=["better", "noticed but small", "chance", "too few"],
)
def test_no_noticeable_loss_to_an_earlier_recipe_passes_and_is_recorded(comparison):
    verdict = judge([compared(0.02, 0.01, 0.03)], 0.0, None, [comparison], forced=False)

    assert verdict.passed
    assert verdict.reasons == (comparison.in_words(),)


def test_force_is_recorded_only_where_it_was_needed():
    bad = judge([compared(-0.02, -0.03, -0.01)], empty_share=0.0, forced=True)
    good = judge([compared(0.02, 0.01, 0.03)], empty_share=0.0, forced=True)

    assert (bad.passed, bad.forced) == (False, True)
    assert bad.reasons
    assert (good.passed, good.forced) == (True, False)


@pytest.mark.parametrize(
    ("high", "ordering", "group", "passes"),
    [
        (-0.01, "shipped", TARGET_GROUPS[0], False),
        (0.01, "shipped", TARGET_GROUPS[0], True),  # worse, but it may be chance
        (-0.01, "btyd", TARGET_GROUPS[0], True),
        (-0.01, "shipped", TARGET_GROUPS[3], True),
    ],
)
def test_a_win_back_list_surely_below_past_spend_is_refused(high, ordering, group, passes):
    row = CaptureRow(
        group, ordering, 100, Estimate(0.5, 0.4, 0.6), Estimate(-0.05, -0.09, high), Estimate(0.0, 0.0, 0.0)
    )

    verdict = judge([compared(0.02, 0.01, 0.03)], 0.0, TargetingTable((row,), (), ()), forced=False)

    assert verdict.passed is passes
    assert passes or "past spend" in verdict.reasons[0]
