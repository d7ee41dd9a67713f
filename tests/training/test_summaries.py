from __future__ import annotations

from pathlib import Path

import pytest

from recsvc.errors import ConfigError
from tests.training.shop import HEADER, config_of, day, plain, prepare_rows, prepared, write_csv
from training.standing_rules import check_rules


def test_customers_and_items_are_sorted_by_utf8_bytes(tmp_path: Path) -> None:
    ids = ["b", "B", "é", "z", "10", "9", "😀", "a b/c"]
    rows = [[n, name, name, "2020-01-01", 1, 1] for n, name in enumerate(ids)]

    found = prepare_rows(tmp_path, rows, toml="[catalogue]\nmin_buyers = 1")

    expected = sorted(ids, key=lambda name: name.encode())
    assert found["customers"] == expected
    assert list(found["items"]) == expected


def test_the_catalogue_comes_first_each_part_in_order_of_item_id(tmp_path: Path) -> None:
    rows = [[1, c, "z", "2020-01-01", 1, 1] for c in "abc"]
    rows += [[2, c, "y", "2020-01-01", 1, 1] for c in "ab"]
    rows += [[3, c, "a", "2020-01-01", 1, 1] for c in "a"]

    found = prepare_rows(tmp_path, rows, toml="[catalogue]\nmin_buyers = 2")

    assert list(found["items"]) == ["y", "z", "a"]
    assert [item["in_catalogue"] for item in found["items"].values()] == [True, True, False]
    assert [item["item_row"] for item in found["items"].values()] == [0, 1, 2]


def test_a_full_catalogue_takes_the_most_bought_and_ties_by_item_id(tmp_path: Path) -> None:
    rows = [[n, c, item, "2020-01-01", 1, 1] for n, (c, item) in enumerate(["az", "bz", "ay", "ax"])]

    found = prepare_rows(tmp_path, rows, toml="[catalogue]\nmin_buyers = 1\nmax_items = 2")

    assert [name for name, item in found["items"].items() if item["in_catalogue"]] == ["x", "z"]


def test_an_item_is_counted_by_customers_and_days(tmp_path: Path) -> None:
    rows = [
        [1, "ann", "tea", "2020-01-01 09:00", 2, "1.00"],
        [2, "ann", "tea", "2020-01-01 17:00", 1, "1.00"],
        [3, "ann", "tea", "2020-02-20", 1, "1.10"],
        [4, "bob", "tea", "2020-01-05", 1, "1.00"],
        [5, "", "tea", "2020-02-25", 4, "1.20"],
    ]

    tea = prepare_rows(tmp_path, rows, as_of="2020-03-01")["items"]["tea"]

    assert {name: tea[name] for name in ("n_buyers", "n_order_days", "n_recent_buyers", "n_repeat_buyers")} == {
        "n_buyers": 2,
        "n_order_days": 3,
        "n_recent_buyers": 1,
        "n_repeat_buyers": 1,
    }
    assert (tea["units"], tea["last_price"]) == (9.0, 120)
    assert (tea["price_before"], tea["price_lately"]) == (100, 115)
    assert (tea["first_day"], tea["last_day"]) == (day("2020-01-01"), day("2020-02-25"))


def test_a_price_nobody_paid_before_has_not_moved(tmp_path: Path) -> None:
    rows = [[1, "ann", "tea", "2020-02-20", 1, "1.10"], [2, "ann", "cup", "2019-12-24", 1, "4.00"]]

    items = prepare_rows(tmp_path, rows, toml="[catalogue]\nmin_buyers = 1", as_of="2020-03-01")["items"]

    assert (items["tea"]["price_before"], items["tea"]["price_lately"]) == (110, 110)
    assert (items["cup"]["price_before"], items["cup"]["price_lately"]) == (400, 400)


def test_the_last_title_seen_is_the_title(tmp_path: Path) -> None:
    rows = [
        [1, "ann", "t1", "2020-01-02", 1, 1, " new tea "],
        [2, "ann", "t1", "2020-01-01", 1, 1, "old tea"],
        [3, "ann", "t1", "2020-01-05", 1, 1, "tea of tomorrow"],
    ]
    write_csv(tmp_path / "orders.csv", rows, [*HEADER, "title"])

    with prepared(config_of(tmp_path), "2020-01-04") as found:
        items = plain(found)["items"]

    assert items["t1"]["title"] == "new tea"


@pytest.fixture
def described(tmp_path: Path) -> Path:
    rows = [[1, c, item, "2020-01-01", 1, 1] for c in "ab" for item in ("tea-1", "tea-2", "cup-1", "gas", "lost")]
    write_csv(tmp_path / "orders.csv", rows)
    header = ("item_id", "name", "size", "area", "kind", "price", "available")
    products = [
        ("tea-1", "tea", "100 g", "drinks", "tea", "2.99", "true"),
        ("tea-2", "tea", "", "drinks", "tea", "", ""),
        ("tea-2", "a second row", "", "", "", "", ""),
        ("tea-3", "tea", "1 kg", "bulk", "tea", "", ""),
        ("cup-1", "cup", "", "home", "crockery", "5", "false"),
        ("gas", "gas", "", "FUEL", "gas", "", ""),
    ]
    write_csv(tmp_path / "products.csv", products, header)
    return tmp_path


ITEMS = """
[orders]
path = "orders.csv"
[items]
path = "products.csv"
[items.columns]
title = ["name", "size"]
category = ["area", "kind"]
[services.item_columns]
area = ["FUEL"]
[catalogue]
min_buyers = 1
"""


def test_attributes_come_from_the_table_of_products(described: Path) -> None:
    with prepared(config_of(described, ITEMS)) as found:
        items = plain(found)["items"]

    assert list(items) == ["cup-1", "lost", "tea-1", "tea-2"]
    assert items["tea-1"]["title"] == "tea 100 g"
    assert items["tea-1"]["category"] == "drinks > tea"
    assert items["tea-1"]["price"] == 299
    assert items["tea-1"]["available"] is True
    assert items["tea-2"]["title"] == "tea"
    assert items["lost"]["title"] is None


def test_stock_and_columns_that_are_asked_for_are_kept_for_filters(tmp_path: Path, described: Path) -> None:
    products = [("tea-1", "7", "38", "red"), ("tea-2", "few", "", "blue")]
    write_csv(tmp_path / "products.csv", products, ("item_id", "stock", "size", "shade"))
    toml = '[items]\npath = "products.csv"\nattributes = ["size"]\n[catalogue]\nmin_buyers = 1\n'
    toml += '[orders]\npath = "orders.csv"'

    with prepared(config_of(described, toml)) as found:
        items = plain(found)["items"]

    assert (items["tea-1"]["stock"], items["tea-1"]["attribute_size"]) == (7.0, "38")
    assert (items["tea-2"]["stock"], items["tea-2"]["attribute_size"]) == (None, None)
    assert "shade" not in {name.removeprefix("attribute_") for name in items["tea-1"]}


def test_rules_about_columns_the_products_lack_stop_training_before_it_begins(described: Path) -> None:
    ruled = ITEMS + '[ranking]\nrules = ["block where price < 3", "boost 2 where colour = 1"]'
    config = config_of(described, ruled)

    with prepared(config) as found, pytest.raises(ConfigError) as caught:
        check_rules(found, config.ranking)

    assert caught.value.key == "ranking.rules.1"
    assert "rule, character 15: expected a column" in str(caught.value)
    assert "available, category, days_on_sale, item_id, price, title" in str(caught.value)


def test_unlisted_items_can_be_kept_out(described: Path) -> None:
    toml = ITEMS.replace("[services.item_columns]", "[services]\nunlisted_items = true\n[services.item_columns]")

    with prepared(config_of(described, toml)) as found:
        rows = plain(found)

    assert list(rows["items"]) == ["cup-1", "tea-1", "tea-2"]
    assert rows["rows"] == {"service": 4}


def test_products_can_be_recommended_at_a_coarser_level(described: Path) -> None:
    with prepared(config_of(described, 'item_level = "kind"\n' + ITEMS)) as found:
        rows = plain(found)

    assert list(rows["items"]) == ["crockery", "tea"]
    assert rows["items"]["tea"]["title"] == "tea"
    assert rows["items"]["tea"]["category"] == "drinks > tea"
    assert rows["items"]["tea"]["n_buyers"] == 2
    assert ("a", day("2020-01-01"), "tea", 2.0, 200) in rows["lines"]
    assert ("a", day("2020-01-01"), None, 2.0, 200) in rows["lines"]


def test_rows_in_another_order_give_the_same_tables(tmp_path: Path) -> None:
    rows = [
        [n, f"c{n % 7}", f"i{n % 11}", f"2020-01-{1 + n % 28:02d} {n % 24:02d}:00", -1 if n % 13 == 0 else 2, "1.99"]
        for n in range(400)
    ]

    forwards = prepare_rows(tmp_path, rows)
    backwards = prepare_rows(tmp_path, rows[::-1])

    assert forwards == backwards


def test_the_record_streams_in_order_in_bounded_pieces(tmp_path: Path) -> None:
    rows = [[n, f"c{n % 5}", f"i{n}", f"2020-01-{1 + n % 3:02d}", 1, 1] for n in range(5000)]
    write_csv(tmp_path / "orders.csv", rows)

    with prepared(config_of(tmp_path)) as found:
        pieces = list(found.record_batches(size=2048))

    keys = [(row["customer_row"], row["day"], row["item_row"]) for piece in pieces for row in piece.to_pylist()]
    assert max(piece.num_rows for piece in pieces) <= 2048
    assert keys == sorted(keys)
    assert len(keys) == 5000


def test_an_order_of_one_customer_gives_a_catalogue_of_what_is_known(tmp_path: Path) -> None:
    with_one = prepare_rows(tmp_path, [[1, "ann", "tea", "2020-01-01", 1, 1]])

    assert len(with_one["items"]) == 1
    assert not with_one["items"]["tea"]["in_catalogue"]
