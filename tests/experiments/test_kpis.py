from __future__ import annotations

import numpy as np
import pytest

from recsvc.domain.history import Histories, Lines, build_histories, take
from recsvc.domain.layers import LAYERS
from recsvc.domain.touchpoints import KINDS, Touchpoints
from recsvc.experiments.kpis import NEWCOMERS, KpiSums, kpi_by_layer, kpi_sums
from recsvc.serving.recommender import Recommender

END, DAYS = 1_000, 30


def records(orders: dict[str, list[int]]) -> Histories:
    """Customers with an order of 10.00 on each of some days."""
    ids = list(orders)
    customer = np.repeat(np.arange(len(ids)), [len(days) for days in orders.values()])
    days = np.concatenate([np.array(days, np.int32) for days in orders.values()])
    n = len(days)
    lines = Lines(
        day=days,
        item=np.zeros(n, np.int32),
        is_product=np.ones(n, bool),
        quantity=np.ones(n, np.float32),
        amount=np.full(n, 1_000),
    )
    return build_histories(ids, customer, lines)


def test_windows_count_who_stayed_who_left_and_who_was_won_back(recommender: Recommender) -> None:
    weekly = list(range(700, 800, 7))
    found = records(
        {
            "kept": [945, 985],
            "left": [945],
            "new": [990],
            "won back": [*weekly, 980],
            "still away": weekly,
            "after the end": [1_000],
        }
    )
    held_out = np.array([False, False, False, False, True, False])

    sums = kpi_sums(found, recommender.bundle.models, held_out, END, DAYS)

    assert (sums.customers, sums.buyers, sums.orders, sums.spend) == (5, 3, 3, 30.0)
    assert (sums.bought_before, sums.kept) == (2, 1)
    assert (sums.lapsed, sums.won_back) == (2, 1)
    assert (sums.held_out_lapsed, sums.held_out_won_back) == (1, 0)
    rates = sums.rates()
    assert rates["win_back_rate"] == rates["retention"] == rates["churn"] == 0.5
    assert rates["repeat_rate"] == pytest.approx(2 / 3)
    assert rates["average_order_value"] == 10.0
    assert sums.clv > 0


def test_parts_of_the_customers_add_up(recommender: Recommender, everybody: list[str]) -> None:
    bundle = recommender.bundle
    found, _ = bundle.customers.get_many(everybody)
    held_out = np.arange(len(found)) % 7 == 0
    end = bundle.items.as_of_day

    whole = kpi_sums(found, bundle.models, held_out, end, 60)
    parts = KpiSums()
    for rows in np.array_split(np.arange(len(found)), 5):
        parts += kpi_sums(take(found, rows), bundle.models, held_out[rows], end, 60)

    assert parts.rates() == pytest.approx(whole.rates(), nan_ok=True)
    assert (parts.won_back, parts.kept, parts.orders) == (whole.won_back, whole.kept, whole.orders)


def test_a_layer_is_that_of_the_day_the_window_began(recommender: Recommender, everybody: list[str]) -> None:
    bundle = recommender.bundle
    found, _ = bundle.customers.get_many(everybody)
    held_out, end = np.zeros(len(found), bool), bundle.items.as_of_day
    whole = kpi_sums(found, bundle.models, held_out, end, 60)

    by_layer = kpi_by_layer(found, bundle.models, held_out, end, 60)

    assert sum(by_layer.values(), KpiSums()).rates() == pytest.approx(whole.rates(), nan_ok=True)
    assert by_layer[NEWCOMERS].bought_before == by_layer[NEWCOMERS].lapsed == 0
    assert {name for name, sums in by_layer.items() if sums.lapsed} <= {
        name for name in LAYERS if name.endswith(("_lapsed", "_lost", "_slipping"))
    }
    assert any(sums.won_back for name, sums in by_layer.items() if name.endswith("_lapsed"))
    assert [*by_layer] == [name for name in (*LAYERS, NEWCOMERS) if name in by_layer]


def test_satisfaction_is_counted_by_the_usual_lines(recommender: Recommender) -> None:
    found = records({"a": [990], "b": [990]})
    kinds = np.array([KINDS.index(kind) for kind in ("nps", "csat", "nps", "nps")], np.int8)
    touched = Touchpoints(
        np.array([0, 3, 4]),
        np.array([980, 980, 985, 985], np.int32),
        kinds,
        np.array([9, 0.75, 8, 3], np.float32),
    )
    found = Histories(
        **{name: getattr(found, name) for name in Histories.__slots__ if name != "touchpoints"}, touchpoints=touched
    )

    sums = kpi_sums(found, recommender.bundle.models, np.zeros(2, bool), END, DAYS)

    assert (sums.promoters, sums.detractors, sums.nps_answers) == (1, 1, 3)
    assert (sums.rates()["nps"], sums.rates()["csat"]) == (0.0, 1.0)


def test_nobody_gives_no_rates() -> None:
    assert set(KpiSums().rates().values()) == {None}
