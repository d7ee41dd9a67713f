"""The three facts that put a customer on a list."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.customer_features import CALENDAR, FEATURE_NAMES
from recsvc.domain.history import Histories
from recsvc.domain.profiles import CustomerModels, profiles
from recsvc.domain.return_model import btyd_targeting
from recsvc.domain.standing import Standing
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Reason
from recsvc.serving.whys import WhyWriter
from tests.trained import NOW

TODAY = 20_000
SEASON = np.array([5.0 if name in CALENDAR else 0.0 for name in FEATURE_NAMES])


def why(models: CustomerModels, order_days: list[int], amount: int = 5_000, *, warning: bool = False) -> list[Reason]:
    """Facts of one customer with equal orders, one item in each."""
    n, offsets = len(order_days), np.array([0, len(order_days)])
    days, money = np.array(order_days, np.int32), np.full(n, amount)
    lines = (days, np.zeros(n, np.int32), np.ones(n, np.float32), money)
    figures = profiles(Histories(("a",), offsets, days, money, offsets, *lines), models, TODAY)
    [(_, facts)] = WhyWriter(models, "GBP").whys(figures, np.array([0]), warning=warning)
    return list(facts)


@pytest.fixture(scope="module")
def models(recommender: Recommender) -> CustomerModels:
    return recommender.bundle.models


@pytest.fixture(scope="module")
def plain(models: CustomerModels) -> CustomerModels:
    """Ordered by BTYD: facts stand in their plain order."""
    standing = Standing({"spend": np.arange(101.0) * 10})
    return replace(models, targeting=btyd_targeting(""), standing=standing)


def test_silence_against_the_own_rhythm_comes_first_then_value_then_outlook(plain: CustomerModels) -> None:
    facts = why(plain, [TODAY - 200 - 20 * n for n in range(18)][::-1])

    assert [fact.code for fact in facts] == ["rhythm", "value", "outlook"]
    assert facts[0].evidence["days_since"] == 200
    assert facts[0].text == f"used to order every {facts[0].evidence['usual_gap_days']} days; silent for 200 days"
    assert facts[1].text == "spent 900 GBP in 18 orders, more than 89 % of customers"
    assert facts[1].evidence == {"spend": 900.0, "orders": 18, "percent_below": 89}
    assert "return by themselves within 60 days, and then spend about" in facts[2].text


def test_small_spend_is_told_from_the_other_side(plain: CustomerModels) -> None:
    facts = why(plain, [TODAY - 300, TODAY - 200], amount=4_000)

    assert facts[1].text == "spent 80 GBP in 2 orders, less than 92 % of customers"


def test_a_shop_too_small_for_shares_tells_none(plain: CustomerModels) -> None:
    facts = why(replace(plain, standing=Standing({})), [TODAY - 300, TODAY - 200])

    assert facts[1].text == "spent 100 GBP in 2 orders"


def test_one_order_is_no_rhythm(plain: CustomerModels) -> None:
    assert why(plain, [TODAY - 400])[0] == Reason("one_order", "ordered once, 400 days ago", {"days_since": 400})


def test_a_fall_is_what_put_a_customer_who_is_not_late_on_the_warning_list(plain: CustomerModels) -> None:
    days = [*range(TODAY - 460, TODAY - 90, 10), TODAY - 60, TODAY - 2]

    facts = why(plain, days, warning=True)

    assert facts[0].text == "orders in the last 90 days fell from 9 to 2"
    assert "stay away for 60 days" in facts[-1].text


def test_everybody_on_a_list_has_three_different_facts_of_their_own(recommender: Recommender) -> None:
    page = {"after_rank": 0, "limit": 500, "states": frozenset[str](), "now": NOW}
    for rows in (recommender.win_back(**page), recommender.early_warning(**page)):  # type: ignore[arg-type]
        assert rows
        for row in rows:
            assert len({fact.code for fact in row.customer.why}) == 3
            assert all(fact.evidence and fact.text for fact in row.customer.why)
            assert row.customer.why == recommender.customer(row.customer_id, now=recommender.as_of).why


def test_who_is_on_no_list_is_told_no_facts(recommender: Recommender) -> None:
    table = recommender.bundle.customer_table
    others = table.filter(table["win_back_rank"].is_null()).filter(
        table.filter(table["win_back_rank"].is_null())["early_warning_rank"].is_null()
    )

    assert recommender.customer(others["customer_id"][0].as_py(), now=NOW).why == ()


def test_facts_of_a_learned_order_come_by_how_far_they_move_the_customer(models: CustomerModels) -> None:
    learned = replace(models, targeting=replace(models.targeting, ordering="learned"))
    value_only = np.array([1.0 if name == "spend" else 0.0 for name in FEATURE_NAMES])
    nothing = np.zeros(len(FEATURE_NAMES))
    returns = learned.targeting.returns
    assert returns is not None
    by_value = replace(returns, return_weight=nothing, value_weight=value_only)
    by_season = replace(returns, return_weight=nothing, value_weight=SEASON)

    value, season = (
        why(replace(learned, targeting=replace(learned.targeting, returns=model)), [TODAY - 300, TODAY - 200])
        for model in (by_value, by_season)
    )

    assert [fact.code for fact in value[:2]] == ["rhythm", "value"]
    assert [fact.code for fact in season[:2]] == ["rhythm", "outlook"]
