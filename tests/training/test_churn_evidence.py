"""Each rule finds the customers who left for its reason, and not the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from recsvc.domain.history import take
from tests.training.leavers import AS_OF, LIMIT_DAYS, Leavers, leavers
from tests.training.shop import day
from training.churn_evidence import REASONS, Troubles, evidence, judged_orders

COLUMN = {reason: position for position, reason in enumerate(REASONS)}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leavers]:
    with leavers(tmp_path_factory.mktemp("leavers")) as found:
        yield found


@pytest.mark.parametrize(
    ("reason", "group"), [("price_rise", "price"), ("favourite_gone", "gone"), ("category_faded", "faded")]
)
def test_a_rule_finds_those_who_left_for_its_reason_and_nobody_else(shop: Leavers, reason: str, group: str) -> None:
    found = shop.applies()[:, COLUMN[reason]]

    assert found[shop.group(group)].all()
    assert not found[~shop.group(group)].any()


def test_who_left_is_judged_at_the_last_order_and_who_stayed_at_orders_of_all_times(shop: Leavers) -> None:
    at, stays = shop.at, shop.group("stays")

    assert np.array_equal(at.stayed, stays)
    assert np.array_equal(at.left, ~stays)
    assert np.array_equal(at.day[at.left], shop.histories.last_order_day()[at.left])
    assert at.day[stays].min() < day("2024-02-01")
    assert at.day[stays].max() > day("2024-11-01")


def test_nobody_is_judged_by_what_they_did_after_the_judged_order(shop: Leavers) -> None:
    histories, at = shop.histories, shop.at
    seen = histories.order_day <= at.day[histories.order_customer()]

    assert np.array_equal(at.n_orders, np.bincount(histories.order_customer()[seen]))
    assert np.array_equal(at.amount, np.bincount(histories.order_customer()[seen], histories.order_amount[seen]))


def test_the_batches_customers_come_in_do_not_matter(shop: Leavers) -> None:
    histories, first = shop.histories, 123
    halves = (np.arange(first), np.arange(first, len(histories)))

    parts = []
    for rows in halves:
        part, left = take(histories, rows), shop.at.left[rows]
        at = judged_orders(part, left, np.full(len(rows), LIMIT_DAYS), day(AS_OF), int(rows[0]))
        parts.append(evidence(part, at, shop.market, None))

    assert np.array_equal(np.concatenate(parts), shop.applies())


def test_a_complaint_counts_within_thirty_days_of_the_judged_order(shop: Leavers) -> None:
    whose = np.array([0, 1, 2, 3])
    troubles = Troubles(whose, (shop.at.day[whose] + [-31, -30, 30, 31]).astype(np.int32))

    found = shop.applies(troubles)[:, COLUMN["complaint"]]

    assert np.flatnonzero(found).tolist() == [1, 2]


def test_the_general_price_level_forgives_a_rise_that_everything_shares(shop: Leavers) -> None:
    level = shop.market.level

    assert level[0] == 1.0
    assert level[-1] == pytest.approx(level[-2])  # nothing changed lately
    assert 1.0 < level[-1] < 1.15  # one of 26 items went up by half


def test_an_item_is_gone_when_it_was_sold_often_and_is_no_longer(shop: Leavers) -> None:
    tea = shop.market.gone & (shop.market.last_day < day("2024-07-17"))

    assert tea.sum() == 1
    assert np.array_equal(tea, shop.market.gone)
