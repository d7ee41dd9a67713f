from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recsvc.campaigns.campaign_file import Campaign
from recsvc.campaigns.contact import Contactable, reach
from recsvc.campaigns.economics import Prospects, economics
from recsvc.campaigns.planning import ARMS, EXPLORED, HELD_OUT, Candidates, plan
from recsvc.domain.documents import checked
from recsvc.domain.layers import LAYERS, UNSURE
from tests.campaigns.conftest import BASIC


def candidates(rng: np.random.Generator, n: int, campaign: Campaign) -> Candidates:
    """Customers of every kind: with and without consent, held out, complaining, contacted lately."""

    def some(share: float) -> NDArray[np.bool_]:
        return rng.random(n) < share

    channels = len(campaign.channels)
    said = Contactable(
        personalisation=some(0.9),
        held_out=some(0.1),
        is_back=some(0.1),
        unsubscribed=rng.random((n, channels)) < 0.1,
        consent=rng.random((n, channels)) < 0.7,
        cooling=some(0.05),
        recent=rng.integers(0, 4, n),
        preferred=rng.integers(0, channels, n),
        has_preferred=some(0.5),
        hour=rng.integers(0, 24, n),
        has_hour=some(0.5),
        zone=[None] * n,
    )
    value = rng.gamma(1.5, 40, n)
    prospects = Prospects(rng.beta(1, 3, n), value, value / rng.uniform(1, 4, n), np.full(n, 0.02))
    return Candidates(
        customer_ids=pa.chunked_array([pa.array([f"c{i}" for i in range(n)])]),
        layer=rng.integers(0, len(LAYERS), n),
        prospects=prospects,
        reach=reach(said, campaign.contact),
        contactable=said,
    )


campaigns = st.fixed_dictionaries(
    {
        "budget": st.floats(1, 2_000),
        "holdout": st.floats(0.02, 0.5),
        "explore": st.floats(0, 1),
        "individual_offers": st.booleans(),
        "margin_floor": st.floats(0, 0.5),
        "max_cost": st.one_of(st.none(), st.floats(0, 10)),
    }
)


@given(campaigns, st.integers(0, 2**32 - 1), st.integers(0, 300))
@settings(max_examples=60)
def test_no_plan_breaks_a_rule(changed: dict[str, object], seed: int, n: int) -> None:
    campaign = checked(Campaign, BASIC | changed, "a campaign")
    found = candidates(np.random.default_rng(seed), n, campaign)

    made = plan(campaign, found, margin=0.4)

    said, rows = found.contactable, made.rows
    contacted = made.arm != HELD_OUT
    channel = found.reach.channel[rows]
    assert said.personalisation[rows].all()
    assert not said.held_out[rows].any()
    assert not said.cooling[rows].any()
    assert not said.is_back[rows].any()
    assert (said.recent[rows] < campaign.contact.cap).all()
    assert said.consent[rows, channel].all()
    assert not said.unsubscribed[rows, channel].any()
    assert len(set(rows.tolist())) == len(rows)
    assert made.expected.spend <= campaign.budget * (1 + 1e-9)
    assert len(rows) + sum(made.left_out.values()) == n
    where = np.searchsorted(np.flatnonzero(found.reach.reachable), rows)
    used = made.economics.used[where, made.offer]
    order_value = found.prospects.order_value[rows]
    costs = used > 0
    assert (0.4 * order_value - used >= campaign.margin_floor * order_value - 1e-9)[costs].all()
    assert (1 - found.prospects.returns[rows][costs] >= UNSURE).all()
    if campaign.max_cost is not None:
        assert (used <= campaign.max_cost).all()
    assert abs(int((~contacted).sum()) - campaign.holdout * len(rows)) <= 1


def test_the_same_question_has_the_same_plan_whatever_the_order_of_customers(
    campaign_with: Callable[..., Campaign],
) -> None:
    campaign = campaign_with()
    found = candidates(np.random.default_rng(3), 200, campaign)

    made, again = plan(campaign, found, margin=0.4), plan(campaign, found, margin=0.4)

    assert made.rows.tolist() == again.rows.tolist()
    assert made.arm.tolist() == again.arm.tolist()
    assert made.offer.tolist() == again.offer.tolist()


def test_without_individual_offers_a_layer_has_one_offer_but_for_those_drawn_by_lot(
    campaign_with: Callable[..., Campaign],
) -> None:
    campaign = campaign_with(budget=200.0)
    found = candidates(np.random.default_rng(5), 500, campaign)

    made = plan(campaign, found, margin=0.4)

    chosen = made.arm != EXPLORED
    layer, offer = found.layer[made.rows][chosen], made.offer[chosen]
    assert all(len(set(offer[layer == one].tolist())) == 1 for one in set(layer.tolist()))
    assert ARMS[EXPLORED] == "explored"
    assert len(set(made.offer[~chosen].tolist())) == 2


def test_more_budget_is_said_to_bring_no_less(campaign_with: Callable[..., Campaign]) -> None:
    found = candidates(np.random.default_rng(7), 400, campaign_with())

    small, large = (plan(campaign_with(budget=budget), found, margin=0.4) for budget in (20.0, 2_000.0))

    assert small.expected.extra_profit > 0
    assert small.expected.profit < large.expected.profit
    assert small.left_out["budget"] > large.left_out.get("budget", 0)


def test_who_all_but_surely_returns_is_offered_nothing_that_costs(campaign_with: Callable[..., Campaign]) -> None:
    prospects = Prospects(np.array([0.95, 0.5]), np.array([900.0, 900.0]), np.array([50.0, 50.0]), np.zeros(2))

    found = economics(prospects, campaign_with(), margin=0.4)

    assert found.allowed.tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize("wrong", [{"budgett": 1}, {"budget": 0}, {"offers": []}, {"holdout": 0}, {"audience": 7}])
def test_a_campaign_that_cannot_be_right_is_refused_by_the_key(wrong: dict[str, object]) -> None:
    from recsvc.errors import ConfigError

    with pytest.raises(ConfigError, match=next(iter(wrong))):
        checked(Campaign, BASIC | wrong, "a campaign")
