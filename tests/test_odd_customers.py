"""Customers no model was thought up for, in a shop that is trained in earnest: a sane state and value for each."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsvc.cli.main import main
from recsvc.domain.category_clock import CategoryClocks
from recsvc.domain.lapse import STATES
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query
from tests.trained import NOW, Trained, train, write_shop
from training.synth import SynthSize

SHOP = SynthSize(customers=300, items=60, lines=12_000, seed=11)
AS_OF = datetime(2025, 12, 31)  # noqa: DTZ001 - the shop's own clock, as in its files
LAST_DAY = AS_OF - timedelta(days=1)
PRICE = 20.0
PROBABILITIES = ("probability_alive", "probability_of_return")
AMOUNTS = ("expected_purchases", "expected_average_value", "clv", "expected_value_of_contact")
ITEMS = [f"I{number:07}" for number in range(60)]

Row = dict[str, Any]  # Any: a line of a file
Customers = dict[str, Row]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("odd")
    config = write_shop(folder, SHOP)
    written = pq.read_schema(next((folder / "orders").iterdir()))
    pq.write_table(pa.Table.from_pylist(list(_odd_lines()), schema=written), folder / "orders" / "odd.parquet")
    return train(config, folder / "artifacts")


@pytest.fixture(scope="module")
def told(odd: Trained) -> Customers:
    """What `recsvc customers` writes, by customer."""
    out = odd.config_file.parent / "customers.csv"
    main(["customers", "--out", str(out), "--artifacts", str(odd.artifacts)])
    with out.open(encoding="utf-8", newline="") as file:
        return {row["customer_id"]: row for row in csv.DictReader(file)}


def _odd_lines() -> Iterator[Row]:
    numbers = count()

    def order(customer_id: str, at: datetime, items: list[str], quantity: int = 1, order_id: str = "") -> Iterator[Row]:
        order_id = order_id or f"X{next(numbers)}"
        for item_id in items:
            yield {
                "order_id": order_id,
                "customer_id": customer_id,
                "item_id": item_id,
                "ordered_at": at,
                "quantity": quantity,
                "unit_price": PRICE,
            }

    yield from order("once long ago", AS_OF - timedelta(days=600), ITEMS[:1])
    yield from order("once yesterday", LAST_DAY, ITEMS[:1])
    yield from order("all returned", AS_OF - timedelta(days=90), ITEMS[:2])
    yield from order("all returned", AS_OF - timedelta(days=80), ITEMS[:2], quantity=-1, order_id="R-all")
    for hour in range(5):
        yield from order("only the last day", LAST_DAY + timedelta(hours=hour), ITEMS[:2])
    for day in range(1, 10_001):
        yield from order("every day", AS_OF - timedelta(days=day), ITEMS[:1])
    for number in range(10_000):
        yield from order("ten thousand lines", LAST_DAY + timedelta(seconds=number), [ITEMS[number % 60]])


def test_no_figure_of_anybody_is_missing_or_infinite(told: Customers) -> None:
    for customer in told.values():
        assert all(value.lower() not in {"nan", "inf", "-inf"} for value in customer.values())
        assert customer["state"] in STATES
        assert all(0.0 <= float(customer[name]) <= 1.0 for name in PROBABILITIES)
        assert all(0.0 <= float(customer[name]) < math.inf for name in AMOUNTS)


def test_somebody_who_ordered_once_is_new_at_first_and_gone_in_the_end(told: Customers) -> None:
    yesterday, long_ago = told["once yesterday"], told["once long ago"]

    # one order has no rhythm: everyone's 95 % decides, and 600 days are beyond it
    assert (yesterday["state"], long_ago["state"]) == ("new", "lost")
    for name in ("probability_alive", "expected_purchases", "clv"):
        assert float(yesterday[name]) > 2 * float(long_ago[name])
    assert not yesterday["win_back_rank"]
    assert long_ago["win_back_rank"]


def test_who_returned_everything_has_bought_nothing_and_is_no_customer(odd: Trained, told: Customers) -> None:
    assert "all returned" not in told
    assert odd.recommender().bundle.customers.get("all returned") is None


def test_orders_of_one_day_are_one_order_however_many(told: Customers) -> None:
    several, many = told["only the last day"], told["ten thousand lines"]

    assert several["state"] == many["state"] == told["once yesterday"]["state"] == "new"
    for name in ("probability_alive", "expected_purchases"):
        assert float(several[name]) == pytest.approx(float(told["once yesterday"][name]))


def test_one_enormous_order_raises_the_value_of_the_next_but_is_not_taken_at_its_word(told: Customers) -> None:
    usual, enormous = (float(told[who]["expected_average_value"]) for who in ("once yesterday", "ten thousand lines"))

    # 10,000 units of 20 in a day; what others spend still counts
    assert usual <= enormous < 10_000 * PRICE


def test_who_orders_daily_is_due_today_and_expected_about_daily(told: Customers) -> None:
    daily = told["every day"]

    assert daily["state"] == "due"  # the last order is as long ago as it always is, and today has not ended
    assert float(daily["probability_alive"]) > 0.99
    assert float(daily["expected_purchases"]) == pytest.approx(60, rel=0.05)  # of the horizon's 60 days
    assert float(daily["expected_average_value"]) == pytest.approx(PRICE, rel=0.05)


def test_every_one_of_them_is_recommended_something(odd: Trained, told: Customers) -> None:
    recommender: Recommender = odd.recommender()

    for who in ("once long ago", "once yesterday", "only the last day", "every day", "ten thousand lines"):
        items = recommender.recommend(Query(who), now=NOW).items
        assert items, who
        assert all(math.isfinite(item.score) for item in items)


def test_the_bundle_holds_a_clock_for_each_category_bought_often_enough(odd: Trained) -> None:
    models = odd.recommender().bundle.models

    assert models.category_clocks.by_name
    assert models.lapse_json()["categories"] == models.category_clocks.to_json()
    older = {name: value for name, value in models.lapse_json().items() if name != "categories"}
    read = type(models).from_json(models.value_json(), older, models.targeting)
    assert read.category_clocks == CategoryClocks()
