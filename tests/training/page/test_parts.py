from __future__ import annotations

import pyarrow as pa
import pytest

from recsvc.domain.layers import VALUES
from training.page.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, across, interval_chart, up
from training.page.layers import RISKS, layers, of
from training.page.reasons import reasons_story

REASONS = {
    "stated": [{"segment": "standard_lost", "reason": "moved away", "customers": 3}],
    "estimated": [{"segment": "high_value_lost", "reason": "price_rise", "customers": 5, "share": 0.25}],
    "explained": [
        {"reason": "price_rise", "lapsed_share": 0.3, "stayed_share": 0.1, "excess": 0.2, "low": 0.1, "high": 0.3},
        {"reason": "complaint", "lapsed_share": 0.1, "stayed_share": 0.2, "excess": -0.1, "low": -0.2, "high": 0.1},
        {"reason": "any", "lapsed_share": 0.4, "stayed_share": 0.2, "excess": 0.2, "low": 0.1, "high": 0.3},
    ],
    "customers_left": 20,
    "note": "Not causal.",
}


def customers(spend: list[float], expected: list[float], at_stake: list[float]) -> pa.Table:
    return pa.table(
        {
            "layer": ["high_lost", "low_lost", "high_secure"],
            "spend": spend,
            "spend_per_year": spend,
            "churn_probability": [0.8, 0.5, 0.1],
            "value_at_stake": at_stake,
            "expected_value_of_contact": expected,
        }
    )


def test_every_customer_and_every_amount_is_in_one_layer():
    found = layers(customers([100.0, 50.0, 350.0], expected=[5.0, 1.0, 9.0], at_stake=[20.0, 1.0, 1.0]))

    assert len(found) == len(VALUES) * len(RISKS)
    assert sum(one.customers for one in found) == 3
    assert sum(one.share for one in found) == pytest.approx(1)
    (lost,) = of(found, "high", "lost")
    assert (lost.customers, lost.spent, lost.expected, lost.at_stake) == (1, 100.0, 5.0, 20.0)
    assert [one.is_urgent for one in found if one.customers] == [True, False, False]
    assert all(one.advice for one in found)


def test_a_shop_that_earned_nothing_has_layers_all_the_same():
    nothing = [0.0, 0.0, 0.0]

    assert all(one.share == one.at_stake == 0 for one in layers(customers(nothing, nothing, nothing)))


@pytest.mark.parametrize("share", [0.0, 0.37, 1.0])
def test_shares_are_drawn_inside_the_axes(share):
    assert LEFT <= across(share) <= WIDTH - RIGHT
    assert TOP <= up(share) <= HEIGHT - BOTTOM


@pytest.mark.parametrize("largest", [0.0, 0.004, 0.1, 0.336, 1.0])
def test_an_axis_reaches_beyond_the_largest_value_and_has_few_ticks(largest):
    chart = interval_chart("key", "title", "x", [("one", largest, 0.0, largest, True)], largest)

    assert 2 <= len(chart.ticks) <= 7
    assert chart.ticks[0][0] <= chart.bars[0].mark.low <= chart.bars[0].mark.high <= chart.ticks[-1][0]


def test_reasons_are_counted_drawn_and_summed_up():
    found = reasons_story({"churn_reasons": REASONS})

    assert found is not None
    assert found.stated is not None
    assert found.stated.rows == (("moved away", "3", "3"),)
    assert found.explained is not None
    assert [(bar.label, bar.is_ours) for bar in found.explained.bars] == [
        ("prices rose", True),
        ("complaint or return", False),
    ]
    assert found.in_words == "Together they explain 20 % of who left (10 % to 30 %)."
    assert found.note == "Not causal."


@pytest.mark.parametrize("report", [{}, {"churn_reasons": None}, {"churn_reasons": {"stated": 7}}])
def test_without_reasons_there_is_no_section(report):
    assert reasons_story(report) is None
