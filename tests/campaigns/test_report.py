from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from recsvc.campaigns.campaign_file import Campaign
from recsvc.campaigns.outcomes import Outcomes, Window, outcomes
from recsvc.campaigns.planning import EXPLORED, HELD_OUT
from recsvc.campaigns.report import report
from recsvc.campaigns.report_page import lift_chart, render
from recsvc.campaigns.reporting import coupons_used, measure_window
from recsvc.experiments.assignment import draw_arms, lots
from recsvc.serving.live_source import LiveSource
from recsvc.serving.recommender import Recommender
from recsvc.store.campaigns import Launch, Member
from recsvc.store.events import Event, EventStore

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
FIRST = 20_458  # 2026-01-05


def told(code: str | None) -> dict[str, object]:
    return {"spend_before": 10.0, "offer": {"code": code, "valid_until": "2026-02-04"}}


def test_orders_in_the_window_count_whether_redeemed_or_not(
    recommender: Recommender, campaign_with: Callable[..., Campaign], engine: sa.Engine
) -> None:
    campaign = campaign_with()
    ids = recommender.bundle.customer_table["customer_id"].slice(0, 4).to_pylist()
    members = [
        Member(ids[0], "contacted", "high_lapsed", "ten", "email", NOW, "s0", told("AB")),
        Member(ids[1], "contacted", "high_lapsed", "ten", "sms", NOW, "s1", told("CD")),
        Member(ids[2], "held_out", "high_lapsed", "ten", details={"spend_before": 10.0}),
        Member(ids[3], "explored", "low_lost", "reminder", "email", NOW, "s3", told(None)),
    ]
    bought = {"quantity": 2.0, "price": 45.0}
    EventStore(engine).add(
        [
            Event("1", ids[0], "purchase", NOW + timedelta(days=2), "I0000001", bought | {"coupon": "AB"}),
            Event("2", ids[0], "purchase", NOW + timedelta(days=9), "I0000001", {"price": 10.0}),
            Event("3", ids[1], "purchase", NOW + timedelta(days=1), "I0000001", bought | {"coupon": "AB"}),
            Event("4", ids[2], "purchase", NOW + timedelta(days=3), "I0000001", bought),
            Event("5", ids[3], "purchase", NOW + timedelta(days=40), "I0000001", bought),
        ],
        received_at=NOW,
    )
    live = LiveSource(engine)
    used = coupons_used(EventStore(engine), NOW)

    found = outcomes(
        recommender.bundle,
        live.of_bundle(recommender.bundle),
        campaign,
        [members],
        Window(FIRST, FIRST + 30, True),
        used,
    )
    live.close()

    assert found.returned.tolist() == [True, True, True, False]
    assert found.orders.tolist() == [2, 1, 1, 0]
    assert found.spend.tolist() == [100.0, 90.0, 90.0, 0.0]
    assert found.days_to_return.tolist() == [2, 1, 3, 0]
    assert found.redeemed.tolist() == [True, False, False, False]  # the second used somebody else's code
    assert found.cost.tolist() == pytest.approx([10.02, 0.05, 0.0, 0.02])  # 10 % of 100, of which 90 were paid
    margin = recommender.bundle.models.economics.margin
    assert found.profit.tolist() == pytest.approx([margin * 110 - 10.02, margin * 90 - 0.05, margin * 90, -0.02])


def test_a_code_used_after_its_last_day_was_not_redeemed(
    recommender: Recommender, campaign_with: Callable[..., Campaign], engine: sa.Engine
) -> None:
    (customer_id,) = recommender.bundle.customer_table["customer_id"].slice(0, 1).to_pylist()
    members = [Member(customer_id, "contacted", "high_lapsed", "ten", "email", NOW, "s0", told("AB"))]
    late = NOW + timedelta(days=31)
    event = Event("1", customer_id, "purchase", late, "I0000001", {"price": 90.0, "coupon": "AB"})
    EventStore(engine).add([event], received_at=late)
    live = LiveSource(engine)

    found = outcomes(
        recommender.bundle,
        live.of_bundle(recommender.bundle),
        campaign_with(),
        [members],
        Window(FIRST, FIRST + 60, True),
        coupons_used(EventStore(engine), NOW),
    )
    live.close()

    assert (found.returned.tolist(), found.redeemed.tolist()) == ([True], [False])


def test_the_window_begins_with_the_launch_where_that_is_later_and_grows_to_its_end(
    recommender: Recommender, campaign_with: Callable[..., Campaign]
) -> None:
    document = {"campaign": campaign_with(measure_days=30).model_dump(mode="json")}
    launch = Launch("spring", "b", document, NOW, NOW - timedelta(days=5), NOW, launched_at=NOW)

    windows = [measure_window(launch, recommender.bundle, NOW + timedelta(days=days)) for days in (0, 10, 29, 30, 99)]

    assert [(one.first - FIRST, one.end - FIRST, one.is_over) for one in windows] == [
        (0, 1, False),
        (0, 11, False),
        (0, 30, False),
        (0, 30, True),
        (0, 30, True),
    ]


def simulated(rng: np.random.Generator, n: int, lift: float) -> Outcomes:
    """Members of whom contact brings back a share `lift` more than the tenth that returns anyway."""
    arm = draw_arms(lots(map(str, rng.integers(0, 2**62, n)), "x"), np.zeros(n, np.int64), [0.2])
    before = rng.gamma(2, 50, n)
    returned = rng.random(n) < 0.1 + lift * (arm != HELD_OUT)
    spend = returned * rng.gamma(3, 20, n)
    nothing, cost = np.zeros(n, np.int64), np.where(arm != HELD_OUT, 0.5, 0.0)
    return Outcomes(
        arm=arm,
        layer=nothing,
        offer=nothing,
        channel=nothing,
        returned=returned,
        orders=returned.astype(np.int64),
        spend=spend,
        profit=0.5 * spend - cost,
        cost=cost,
        days_to_return=nothing,
        redeemed=returned & (arm != HELD_OUT),
        spend_before=before,
    )


def test_what_is_reported_holds_the_truth_as_often_as_it_says(campaign_with: Callable[..., Campaign]) -> None:
    rng, campaign, lift = np.random.default_rng(11), campaign_with(), 0.05

    reports = [report(campaign, simulated(rng, 1_500, lift), is_over=True) for _ in range(300)]

    profit = lift * 0.5 * 60 - 0.5  # of each contacted
    n = reports[0].contacted.customers
    holds = [one.incremental_profit.low <= n * profit <= one.incremental_profit.high for one in reports]
    wins = [one.incremental_customers.low <= n * lift <= one.incremental_customers.high for one in reports]
    assert 0.91 <= np.mean(holds) <= 0.985  # 300 campaigns: three standard errors around .95
    assert 0.91 <= np.mean(wins) <= 0.985
    claimed = np.mean([one.last_touch_customers for one in reports])
    assert claimed > 2 * n * lift  # last touch counts who returns anyway


def test_a_campaign_without_effect_is_not_said_to_have_one_early(campaign_with: Callable[..., Campaign]) -> None:
    rng, campaign = np.random.default_rng(12), campaign_with()

    said = [report(campaign, simulated(rng, 1_000, 0.0), is_over=False).verdict for _ in range(100)]

    assert sum(one.startswith("Not enough yet") for one in said) >= 97


def test_an_empty_arm_says_nothing(campaign_with: Callable[..., Campaign]) -> None:
    found = report(campaign_with(), simulated(np.random.default_rng(1), 2, 0.0), is_over=True)

    assert found.verdict == "Nothing can be said: one of the arms is empty."
    assert found.cost_per_win_back is None


def test_offers_drawn_by_lot_are_not_compared_with_who_was_held_out_from_a_chosen_one(
    campaign_with: Callable[..., Campaign],
) -> None:
    found = simulated(np.random.default_rng(2), 1_000, 0.05)
    found.arm[:100] = EXPLORED
    found.offer[:100] = 1

    parts = [part for part in report(campaign_with(), found, is_over=True).parts if part.by == "offer"]

    assert [part.name for part in parts] == ["reminder"]


def test_the_page_draws_each_lift_where_it_lies_and_escapes_names(campaign_with: Callable[..., Campaign]) -> None:
    campaign = campaign_with()
    found = report(campaign, simulated(np.random.default_rng(5), 2_000, 0.05), is_over=True)
    hostile = Launch("<b>", "b", {}, NOW, NOW, NOW, launched_at=NOW)

    chart, page = lift_chart(found), render(hostile, found, Window(FIRST, FIRST + 30, True), "GBP")

    everybody = chart.bars[0]
    assert everybody.low < everybody.x < everybody.high
    assert (everybody.x > chart.zero) == (found.lift.value > 0)
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert found.verdict in page
