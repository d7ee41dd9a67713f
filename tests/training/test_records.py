"""From rows in the engine to records on disk, through the real aggregation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest

from recsvc.domain.history import Histories, OrderLine, append_order, concatenate, take
from tests.domain.record_strategies import plain, summary
from tests.trained import write_orders
from tests.training.shop import LATER, config_of, prepared
from training.records import TOUCHPOINTS, Fingerprint, stream_histories, with_touchpoints

START = date(2024, 1, 1)
CATALOGUE = "[services]\nitem_id_pattern = '^post$'\n[catalogue]\nmin_buyers = 1\n"
PRODUCTS = ("jam", "tea", "bun", "egg")
N_CUSTOMERS = 120
Row = tuple[str, str, date, int, str]


def read(rows: Sequence[Row], sizes: Sequence[int] = (1_000,)) -> list[tuple[Histories, dict[str, int], str]]:
    """Records of a shop, its item rows, and the fingerprint of its lines, once for each size of stream batches."""
    found = []
    with TemporaryDirectory() as folder:
        write_orders(Path(folder), rows)
        with prepared(config_of(Path(folder), CATALOGUE), LATER) as shop:
            item_rows = {item_id: row for row, item_id in enumerate(shop.items["item_id"].to_pylist())}
            for size in sizes:
                fingerprint = Fingerprint()
                batches = stream_histories(fingerprint.of(shop.record_batches(size)), shop.customer_ids)
                found.append((concatenate(list(batches)), item_rows, fingerprint.hexdigest()))
    return found


def random_order(customer: str, rng: np.random.Generator) -> list[Row]:
    """Some products and perhaps postage, all on one of five days."""
    day = START + timedelta(int(rng.integers(5)))
    chosen = [*rng.choice(PRODUCTS, rng.integers(1, 4)), *rng.choice(["post"], rng.integers(0, 2))]
    return [(customer, str(i), day, int(rng.integers(1, 5)), f"{rng.integers(1, 999) / 100:.2f}") for i in chosen]


def random_shop(rng: np.random.Generator) -> list[Row]:
    customers = [f"c{number:03}" for number in range(N_CUSTOMERS)]
    return [row for one in customers for _ in range(rng.integers(1, 4)) for row in random_order(one, rng)]


def test_an_order_appended_to_the_summary_is_the_order_summarised_with_the_rest() -> None:
    rng = np.random.default_rng(7)
    shop = random_shop(rng)
    orders = {customer: random_order(customer, rng) for customer in dict.fromkeys(row[0] for row in shop)}
    ((before, item_rows, _),) = read(shop)

    appended = []
    for position, customer in enumerate(before.customer_ids):
        lines = [
            OrderLine(item_rows.get(item), n, n * round(float(price) * 100))
            for _, item, _, n, price in orders[customer]
        ]
        day = (orders[customer][0][2] - date(1970, 1, 1)).days
        appended += plain(append_order(take(before, np.array([position])), day, lines))

    ((after, same_rows, _),) = read([*shop, *(row for order in orders.values() for row in order)])
    assert item_rows == same_rows
    assert appended == plain(after)


def test_records_and_fingerprint_do_not_depend_on_the_batches_of_the_stream() -> None:
    (whole, _, fingerprint), *others = read(random_shop(np.random.default_rng(8)), sizes=(100_000, 1, 2, 7))

    for streamed, _, same_fingerprint in others:
        assert plain(streamed) == plain(whole)
        assert same_fingerprint == fingerprint


@pytest.mark.parametrize("column", ["customer_row", "day", "item_row", "quantity", "amount"])
def test_the_fingerprint_notices_any_figure_and_a_service(column: str) -> None:
    line = {"customer_row": 0, "day": 1, "item_row": 2, "quantity": 1.0, "amount": 100}
    changes = [line, line | {column: 3}] + ([line | {column: None}] if column == "item_row" else [])
    schema = pa.RecordBatch.from_pylist([line]).schema

    digests = []
    for change in changes:
        fingerprint = Fingerprint()
        list(fingerprint.of(iter([pa.RecordBatch.from_pylist([line, change], schema)])))
        digests.append(fingerprint.hexdigest())

    assert len(set(digests)) == len(changes)


def test_the_record_is_what_the_receipts_say() -> None:
    rows: list[Row] = [
        ("a", "jam", START, 2, "2.50"),
        ("a", "jam", START, 1, "2.00"),
        ("a", "post", START, 1, "4.00"),
        ("a", "post", START + timedelta(1), 1, "4.00"),
        ("b", "tea", START + timedelta(3), 5, "1.20"),
    ]

    ((found, item_rows, _),) = read(rows)

    first, second = plain(found)
    today = (START - date(1970, 1, 1)).days
    assert first["order_day"] == [today]
    assert first["order_amount"] == [1_100]
    assert first["line_item"] == [item_rows["jam"]]
    assert first["line_quantity"] == [3.0]
    assert first["line_amount"] == [700]
    assert second["order_day"] == [today + 3]
    assert second["order_amount"] == [600]


def test_no_line_is_no_record() -> None:
    with pytest.raises(ValueError, match="at least one array"):
        concatenate(list(stream_histories(iter(()), ())))


def touchpoint_rows(rng: np.random.Generator) -> pa.Table:
    """Touchpoints of some of twenty customers, in their order."""
    cells = np.sort(rng.choice(20 * 9 * 3, 60, replace=False))
    table = {"customer_row": cells // 27, "day": cells // 3 % 9, "kind": cells % 3, "value": rng.random(60)}
    return pa.table(table).cast(TOUCHPOINTS)


def records_of(n_customers: int) -> Histories:
    return summary({f"c{number:02}": [(number % 5, 0, 1, 100)] for number in range(n_customers)})


@pytest.mark.parametrize(("customers", "rows"), [(1, 1), (7, 3), (20, 1_000), (3, 1_000), (20, 2)])
def test_touchpoints_find_their_customers_whatever_the_batches(customers: int, rows: int) -> None:
    table, everybody = touchpoint_rows(np.random.default_rng(3)), records_of(20)
    batches = [take(everybody, np.arange(first, min(first + customers, 20))) for first in range(0, 20, customers)]

    found = concatenate(list(with_touchpoints(iter(batches), iter(table.to_batches(max_chunksize=rows)))))

    whose = found.touchpoints.customer()
    assert whose.tolist() == table["customer_row"].to_pylist()
    assert found.touchpoints.day.tolist() == table["day"].to_pylist()
    assert found.touchpoints.kind.tolist() == table["kind"].to_pylist()
    assert found.customer_ids == everybody.customer_ids


def test_records_without_a_touchpoint_stay_as_they_are() -> None:
    everybody = records_of(5)

    (found,) = with_touchpoints(iter([everybody]), iter([]))

    assert plain(found) == plain(everybody)


def test_touchpoints_are_part_of_the_fingerprint_and_no_touchpoints_are_not() -> None:
    table = touchpoint_rows(np.random.default_rng(3))

    def digest(*streams: tuple[pa.Table, str]) -> str:
        fingerprint = Fingerprint()
        for rows, prefix in streams:
            list(fingerprint.of(iter(rows.to_batches()), prefix))
        return fingerprint.hexdigest()

    alone = digest((table, ""))
    assert digest((table, ""), (table.slice(0, 0), "touchpoint_")) == alone
    assert digest((table, ""), (table, "touchpoint_")) != alone
    assert digest((table, ""), (table.slice(1), "touchpoint_")) != digest((table, ""), (table, "touchpoint_"))
