from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsvc.errors import DataError
from tests.training.shop import HEADER, config_of, day, plain, prepare_rows, prepared, write_csv

D1, D2, D3 = day("2020-01-01"), day("2020-01-02"), day("2020-01-03")


def line(
    order: object = 1, customer: object = "ann", item: object = "tea", at: str = "2020-01-01", **rest: Any
) -> list[object]:
    return [order, customer, item, at, rest.get("quantity", 1), rest.get("price", "2.50")]


def test_a_line_is_customer_day_item_quantity_and_minor_units(tmp_path: Path) -> None:
    found = prepare_rows(tmp_path, [line(quantity=3, price="2.505")])

    assert found["lines"] == [("ann", D1, "tea", 3.0, 752)]
    assert found["report"].rows_read == found["report"].rows_kept == 1


def test_several_lines_of_a_day_are_one(tmp_path: Path) -> None:
    found = prepare_rows(tmp_path, [line(order=1), line(order=2, quantity=2)])

    assert found["lines"] == [("ann", D1, "tea", 3.0, 750)]


def test_the_cut_comes_first_so_a_later_return_undoes_nothing(tmp_path: Path) -> None:
    rows = [line(quantity=5), line(order=2, at="2020-01-03", quantity=-5)]

    before = prepare_rows(tmp_path, rows, as_of="2020-01-03")
    after = plain_or_error(tmp_path, as_of="2020-01-04")

    assert before["lines"] == [("ann", D1, "tea", 5.0, 1250)]
    assert before["rows"] == {"after_as_of": 1}
    assert "no customer bought a product before as_of" in after


def plain_or_error(folder: Path, as_of: str) -> str:
    with pytest.raises(DataError) as caught, prepared(config_of(folder), as_of):
        pass
    return str(caught.value)


def test_a_return_is_taken_off_the_purchases_before_it(tmp_path: Path) -> None:
    rows = [
        line(quantity=10),
        line(order=2, at="2020-01-02", quantity=4),
        line(order=3, at="2020-01-03", quantity=-6),
    ]

    found = prepare_rows(tmp_path, rows)

    assert found["lines"] == [("ann", D1, "tea", 8.0, 2000)]
    assert found["rows"] == {"return_netted": 1, "fully_returned": 1, "partly_returned": 1}


def test_an_order_id_can_mark_a_return_whatever_the_sign(tmp_path: Path) -> None:
    rows = [line(quantity=2), line(order="C9", at="2020-01-02", quantity=1)]
    toml = '[orders]\npath = "orders.csv"\nreturn_order_pattern = "^C"'

    found = prepare_rows(tmp_path, rows, toml=toml)

    assert found["lines"] == [("ann", D1, "tea", 1.0, 250)]


def test_a_negative_quantity_without_a_purchase_is_counted_and_left_out(tmp_path: Path) -> None:
    found = prepare_rows(tmp_path, [line(), line(order=2, item="cup", at="2020-01-02", quantity=-1)])

    assert found["rows"] == {"unmatched_return": 1}
    assert [one[2] for one in found["lines"]] == ["tea"]


def test_a_return_of_nobody_undoes_nothing(tmp_path: Path) -> None:
    rows = [line(), line(customer="", quantity=2), line(order=2, customer="", at="2020-01-02", quantity=-2)]

    found = prepare_rows(tmp_path, rows)

    assert found["rows"] == {"return_without_customer": 1, "no_customer": 1}
    assert found["items"]["tea"]["units"] == 3.0


def test_exact_duplicates_are_kept_once(tmp_path: Path) -> None:
    rows = [line(), line(), line(), line(order=2)]

    found = prepare_rows(tmp_path, rows)

    assert found["rows"] == {"exact_duplicate": 2}
    assert found["lines"] == [("ann", D1, "tea", 2.0, 500)]


def test_duplicates_can_be_believed(tmp_path: Path) -> None:
    found = prepare_rows(tmp_path, [line(), line()], toml="[cleaning]\ndrop_exact_duplicates = false")

    assert found["lines"] == [("ann", D1, "tea", 2.0, 500)]


def test_free_lines_zero_quantities_and_absurd_ones_are_left_out(tmp_path: Path) -> None:
    rows = [
        line(),
        line(item="gift", price=0),
        line(item="credit", price="-1"),
        line(item="none", quantity=0),
        line(item="typo", quantity=100_001),
        line(order=2, item="stock", quantity=-7, price=0),
    ]

    found = prepare_rows(tmp_path, rows)

    assert found["rows"] == {"zero_or_negative_price": 3, "zero_quantity": 1, "absurd_quantity": 1}
    assert list(found["items"]) == ["tea"]


def test_cancelled_lines_never_happened(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", [[*line(), "done"], [*line(item="cup"), "void"]], [*HEADER, "status"])
    config = config_of(tmp_path, '[orders]\npath = "orders.csv"\ncancelled_statuses = ["void"]')

    with prepared(config) as found:
        rows = plain(found)

    assert rows["rows"] == {"cancelled_status": 1}
    assert [one[2] for one in rows["lines"]] == ["tea"]


def test_services_are_in_the_books_but_not_in_taste(tmp_path: Path) -> None:
    rows = [
        line(),
        line(item="POST", price=5),
        line(item="FEE", price=1),
        line(order=2, item="POST", at="2020-01-02", price=9),
        line(order=3, customer="bob", item="POST", at="2020-01-02", price=9),
    ]

    found = prepare_rows(tmp_path, rows, toml='[services]\nitem_id_pattern = "^(POST|FEE)$"')

    assert found["lines"] == [("ann", D1, None, 2.0, 600), ("ann", D1, "tea", 1.0, 250)]
    assert found["customers"] == ["ann"]
    assert list(found["items"]) == ["tea"]
    assert found["rows"] == {"service": 4}


def test_rows_without_a_customer_count_for_popularity_only(tmp_path: Path) -> None:
    found = prepare_rows(tmp_path, [line(), line(customer="", quantity=7)])

    assert found["customers"] == ["ann"]
    assert found["items"]["tea"]["units"] == 8.0
    assert found["items"]["tea"]["n_buyers"] == 1
    assert found["rows"] == {"no_customer": 1}


def test_what_lies_after_as_of_changes_nothing(tmp_path: Path) -> None:
    rows = [line(), line(order=2, item="cup", at="2020-01-02"), line(order=3, customer="bob", at="2020-01-02 23:59:59")]
    later = [line(order=4, at="2020-01-03", quantity=-1), line(order=5, customer="aaa", item="aaa", at="2020-01-03")]

    alone = prepare_rows(tmp_path, rows, as_of="2020-01-03")
    followed = prepare_rows(tmp_path, [later[1], *rows, later[0]], as_of="2020-01-03")

    assert followed["lines"] == alone["lines"]
    assert followed["items"] == alone["items"]
    assert followed["customers"] == alone["customers"]


shop_lines = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", ""]),
        st.sampled_from(["tea", "cup", "POST"]),
        st.integers(0, 3),
        st.integers(-3, 4),
        st.sampled_from(["0", "1.00", "2.35"]),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=shop_lines)
def test_every_row_and_every_penny_is_accounted_for(
    tmp_path: Path, lines: list[tuple[str, str, int, int, str]]
) -> None:
    anchor = line(order="first", customer="zoe")
    start = date(2020, 1, 1)
    rows = [anchor] + [[n, c, i, start + timedelta(d), q, p] for n, (c, i, d, q, p) in enumerate(lines)]

    found = prepare_rows(tmp_path, rows, as_of="2020-01-03", toml='[services]\nitem_id_pattern = "POST"')

    report = found["report"]
    assert report.rows_read == len(rows) == report.rows_kept + sum(count.rows for count in report.dropped)
    by_rule = {count.rule: count.amount for count in (*report.dropped, *report.notes)}
    sold = sum(minor(q, p) for c, i, d, q, p in lines if q > 0 and d < 2) + 250
    undone = by_rule["exact_duplicate"] + by_rule["fully_returned"] + by_rule["partly_returned"]
    assert report.amount_kept == sold - undone


def minor(quantity: int, price: str) -> int:
    return int((quantity * Decimal(price) * 100).quantize(Decimal(1), ROUND_HALF_UP))
