"""Exported events in the next training: new purchases count, those that the order files hold do not count again."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsvc.cli.events import COLUMNS
from tests.training.shop import HEADER, LATER, config_of, day, plain, prepared, write_csv

LIVE = '[live]\npath = "live.csv"\n[catalogue]\nmin_buyers = 1\n'
ORDERS = [
    ("o1", "anna", "jam", "2024-01-01T10:00:00", 2, "1.50"),
    ("o2", "bert", "tea", "2024-01-02T10:00:00", 1, "4.00"),
]


def event(number: int, kind: str, customer_id: str, at: str, **more: object) -> tuple[object, ...]:
    known = {"event_id": f"e{number}", "kind": kind, "customer_id": customer_id, "occurred_at": f"2024-01-{at}+00:00"}
    return tuple((known | more).get(name, "") for name in COLUMNS)


def bought(
    number: int, customer_id: str, at: str, item_id: str, order_id: str = "", n: float = 1
) -> tuple[object, ...]:
    return event(number, "purchase", customer_id, at, item_id=item_id, quantity=n, price=2.5, order_id=order_id)


def lines_after(folder: Path, *events: tuple[object, ...]) -> list[object]:
    write_csv(folder / "orders.csv", ORDERS)
    write_csv(folder / "live.csv", events, COLUMNS)
    with prepared(config_of(folder, LIVE), LATER) as found:
        return list(plain(found)["lines"])


def test_purchases_of_orders_that_the_files_lack_are_order_lines(tmp_path: Path) -> None:
    found = lines_after(
        tmp_path, bought(1, "anna", "05T23:59:59", "tea", "o9", 3), bought(2, "carl", "06T00:00:00", "jam")
    )

    assert found == [
        ("anna", day("2024-01-01"), "jam", 2.0, 300),
        ("anna", day("2024-01-05"), "tea", 3.0, 750),
        ("bert", day("2024-01-02"), "tea", 1.0, 400),
        ("carl", day("2024-01-06"), "jam", 1.0, 250),
    ]


@pytest.mark.parametrize(
    "again",
    [
        bought(1, "anna", "01T10:00:05", "jam", "o1", 2),
        bought(1, "anna", "03T10:00:00", "tea", "o1"),
        bought(1, "bert", "02T22:00:00", "tea"),
        bought(1, "bert", "02T22:00:00", "tea", "another id"),
    ],
    ids=["the same line", "another line of an order they hold", "no order id", "another order id"],
)
def test_what_the_order_files_hold_does_not_count_again(tmp_path: Path, again: tuple[object, ...]) -> None:
    assert lines_after(tmp_path, again) == lines_after(tmp_path)


def test_views_carts_and_feedback_become_touchpoints_and_the_rest_nothing(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", ORDERS)
    events = [
        event(1, "view", "anna", "03T10:00:00", item_id="tea"),
        event(2, "view", "anna", "03T11:00:00", item_id="jam"),
        event(3, "cart", "bert", "03T10:00:00", item_id="jam"),
        event(4, "feedback", "bert", "03T10:00:00", topic="nps", score=9),
        event(5, "impression", "bert", "03T10:00:00", item_id="jam"),
        event(6, "view", "a stranger", "03T10:00:00", item_id="jam"),
    ]
    write_csv(tmp_path / "live.csv", events, COLUMNS)

    with prepared(config_of(tmp_path, LIVE), LATER) as found:
        touches = found.touchpoints.to_pyarrow().to_pylist()

    assert sorted((one["customer_row"], one["value"]) for one in touches) == [(0, 2.0), (1, 1.0), (1, 9.0)]


def test_the_title_of_an_item_survives_a_purchase_without_one(tmp_path: Path) -> None:
    header = (*HEADER, "title")
    write_csv(tmp_path / "orders.csv", [(*row, f"Fine {row[2]}") for row in ORDERS], header)
    write_csv(tmp_path / "live.csv", [bought(1, "anna", "09T10:00:00", "tea")], COLUMNS)

    with prepared(config_of(tmp_path, LIVE), LATER) as found:
        titles = {item["item_id"]: item["title"] for item in found.items.to_pylist()}

    assert titles == {"jam": "Fine jam", "tea": "Fine tea"}
