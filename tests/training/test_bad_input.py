"""Twenty and more kinds of bad input: each ends in one clear sentence, or in a counted exclusion.

Nothing here can touch a live bundle: reading and checking the data comes before anything is written.
"""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Callable
from pathlib import Path

import ibis
import pytest

from recsvc.errors import ConfigError, DataError, RecsvcError
from tests.training.shop import HEADER, LATER, config_of, day, plain, prepare_rows, prepared, write_csv
from training.check import check_data

GOOD = ["1", "ann", "tea", "2020-01-01", "1", "2.50"]
TWO_COLUMNS = "order_id,customer_id\n1,ann\n"


def changed(**fields: object) -> list[object]:
    return [fields.get(name, value) for name, value in zip(HEADER, GOOD, strict=True)]


def orders(rows: list[list[object]], header: tuple[str, ...] = HEADER) -> Callable[[Path], object]:
    return lambda folder: write_csv(folder / "orders.csv", rows, header)


def text(content: str, name: str = "orders.csv") -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(content, encoding="utf-8")


def content(data: bytes, name: str = "orders.csv") -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(data)


def nothing(folder: Path) -> None:
    """Leave the folder empty."""


def a_folder(folder: Path) -> None:
    (folder / "orders.csv").mkdir()


def truncated_gzip(folder: Path) -> None:
    lines = "\n".join([",".join(HEADER), *(f"{n},c{n},i{n},2020-01-01,1,1" for n in range(20_000))])
    packed = gzip.compress(lines.encode())
    (folder / "orders.csv.gz").write_bytes(packed[: len(packed) // 2])


def database(folder: Path) -> None:
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute("create table orders (order_id text)")
    connection.close()


AT = '[orders]\npath = "{}"'
SQL = '[orders]\nurl = "sqlite:///{}"\nquery = "{}"'
HEAD = ",".join(HEADER)
LATIN = f"{HEAD}\n1,ann,caf\u00e9,2020-01-01,1,1\n".encode("latin-1")

STOPS: dict[str, tuple[Callable[[Path], object], str, list[str]]] = {
    "missing column": (orders([GOOD[:5]], HEADER[:5]), "", ["no column 'unit_price'", "set orders.columns"]),
    "misspelt mapping": (
        orders([GOOD]),
        '[orders]\npath = "orders.csv"\n[orders.columns]\ncustomer_id = "customer"',
        ["no column 'customer'", "did you mean 'customer_id'?", "orders.columns.customer_id"],
    ),
    "unparsable date": (
        orders([GOOD, changed(ordered_at="13.45.2020")]),
        "",
        ["column 'ordered_at'", "not a date", "in 1 row", "row 3", "13.45.2020", "ordered_at_format"],
    ),
    "a date before there were web shops": (orders([changed(ordered_at="1900-01-01")]), "", ["before 1970", "row 2"]),
    "unparsable number": (
        orders([GOOD, changed(quantity="two")]),
        "",
        ["column 'quantity'", "not a number", "row 3", "'two'"],
    ),
    "decimal comma": (orders([changed(unit_price="2,50")]), "", ["column 'unit_price'", "'2,50'", "orders.decimal"]),
    "currency signs": (orders([changed(unit_price="\u00a32.50")]), "", ["column 'unit_price'", "currency signs"]),
    "an amount beyond belief": (orders([changed(unit_price="9" * 14)]), "", ["not a believable price"]),
    "mixed currencies": (
        orders([[*GOOD, "GBP"], [*GOOD, "GBP"], [*changed(order_id=2), "EUR"]], (*HEADER, "currency")),
        "",
        ["column 'currency'", "another currency", "GBP in 2 rows", "EUR in 1 rows", "convert"],
    ),
    "no item ids": (orders([changed(item_id="")]), "", ["column 'item_id'", "no item", "row 2"]),
    "no customers at all": (orders([changed(customer_id="")]), "", ["column 'customer_id'", "no customer", "map"]),
    "empty file": (text(""), "", ["orders.csv is empty"]),
    "header only": (text(HEAD + "\n"), "", ["there is no order line"]),
    "missing file": (nothing, AT.format("away.csv"), ["no file matches", "away.csv", "orders.path"]),
    "a folder instead of a file": (a_folder, "", ["orders.csv is a folder", "name its files"]),
    "a kind of file nobody knows": (text("x", "orders.xlsx"), AT.format("orders.xlsx"), ["cannot be told", ".parquet"]),
    "no parquet inside": (text("x", "orders.parquet"), AT.format("orders.parquet"), ["orders.parquet"]),
    "truncated gzip": (truncated_gzip, AT.format("orders.csv.gz"), ["orders.csv.gz", "export the file again"]),
    "not gzip": (content(b"plain text", "orders.csv.gz"), AT.format("orders.csv.gz"), ["cannot be read"]),
    "not UTF-8": (content(LATIN), "", ["orders.csv", "encoding", "cp1252"]),
    "an encoding nobody knows": (orders([GOOD]), AT.format("orders.csv") + '\nencoding = "klingon"', ["klingon"]),
    "wrong delimiter": (
        orders([GOOD]),
        AT.format("orders.csv") + '\ndelimiter = ";"',
        ["no column 'customer_id'", "'order_id,customer_id,item_id"],
    ),
    "duplicate column names": (
        orders([[*GOOD, "tea"]], (*HEADER, "item_id")),
        "",
        ["the header names the column 'item_id' twice"],
    ),
    "a row of another shape": (text(f"{HEAD}\n1,ann,tea,2020-01-01,1,1\n1,ann\n"), "", ["orders.csv", "Line: 3"]),
    "a package that is not installed": (
        nothing,
        '[orders]\npackage = "no_such_shop"\npath = "orders.parquet"',
        ["no_such_shop", "pip install no-such-shop"],
    ),
    "config key misspelt": (orders([GOOD]), "horizon_dyas = 90", ["horizon_dyas", "did you mean horizon_days?"]),
    "no path in the config": (nothing, "[orders]", ["orders.path", "--orders PATH"]),
    "a query that fails": (
        database,
        SQL.format("shop.db", "select x from nowhere"),
        ["orders.query", "no such table: nowhere"],
    ),
    "a url that is none": (nothing, SQL.format("", "x").replace("sqlite:///", "away"), ["orders.url", "postgresql"]),
    "a pattern the engine cannot run": (
        orders([GOOD]),
        "[services]\nitem_id_pattern = '(?!x)y'",
        ["look-around", "services.item_id_pattern"],
    ),
    "an item level that is not there": (
        lambda folder: (orders([GOOD])(folder), text("item_id,title\ntea,Tea\n", "items.csv")(folder)),
        'item_level = "kind"\n[items]\npath = "items.csv"',
        ["item_level", "no column 'kind'"],
    ),
    "everything left out": (orders([changed(unit_price=0)]), "", ["no customer bought a product", "1 zero_or_neg"]),
}


@pytest.mark.parametrize("kind", STOPS)
def test_a_run_stops_with_a_sentence_that_names_the_place_and_the_fix(kind: str, tmp_path: Path) -> None:
    arrange, toml, parts = STOPS[kind]
    arrange(tmp_path)

    with (
        pytest.raises(RecsvcError) as caught,
        prepared(config_of(tmp_path, toml.replace("sqlite:///shop.db", f"sqlite:///{tmp_path}/shop.db"))),
    ):
        pass

    sentence = str(caught.value)
    assert isinstance(caught.value, DataError | ConfigError)
    assert all(part in sentence for part in parts), sentence
    assert "\n" not in sentence
    assert "SELECT" not in sentence


def test_there_are_at_least_twenty_kinds() -> None:
    assert len(STOPS) >= 20


def test_bad_rows_can_be_left_out_and_are_counted(tmp_path: Path) -> None:
    rows = [GOOD, changed(ordered_at="soon"), changed(quantity="few"), changed(item_id=""), changed(unit_price="?")]

    found = prepare_rows(tmp_path, rows, toml='[orders]\npath = "orders.csv"\nbad_rows = "skip"')

    assert found["rows"] == {"bad_row": 4}
    assert found["report"].rows_kept == 1


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", [GOOD, changed(ordered_at="soon"), changed(quantity="few")])

    checked = check_data(config_of(tmp_path), day(LATER))

    assert not checked.passed
    assert [(one.column, one.count, one.rows, one.examples) for one in checked.findings] == [
        ("ordered_at", 1, (3,), ("soon",)),
        ("quantity", 1, (4,), ("few",)),
    ]


def test_the_users_own_column_names_are_used(tmp_path: Path) -> None:
    header = ("Invoice", "Customer ID", "StockCode", "InvoiceDate", "Quantity", "Price")
    write_csv(tmp_path / "orders.csv", [changed(unit_price="1.2.3")], header)
    toml = """
    [orders]
    path = "orders.csv"
    columns = { order_id = "Invoice", customer_id = "Customer ID", item_id = "StockCode", ordered_at = "InvoiceDate", \
quantity = "Quantity", unit_price = "Price" }
    """

    checked = check_data(config_of(tmp_path, toml), day(LATER))

    assert checked.findings[0].where == "orders (orders.csv), column 'Price'"


def test_dates_in_the_future_are_cut_and_counted(tmp_path: Path) -> None:
    found = prepare_rows(tmp_path, [GOOD, changed(ordered_at="2999-12-31")])

    assert found["rows"] == {"after_as_of": 1}


@pytest.mark.parametrize("who", ["one customer", "one item"])
def test_one_customer_or_one_item_is_enough(who: str, tmp_path: Path) -> None:
    field = "item_id" if who == "one customer" else "customer_id"

    found = prepare_rows(tmp_path, [changed(**{field: f"x{n}"}) for n in range(5)])

    assert len(found["customers"] if who == "one customer" else found["items"]) == 1


@pytest.mark.parametrize(
    "strange", ["a/b c", "../../etc", "😀 naïve", "0012", "1e5", "'; drop table orders", "x" * 5000, '"quoted", id']
)
def test_ids_are_text_whatever_is_in_them(strange: str, tmp_path: Path) -> None:
    found = prepare_rows(tmp_path, [changed(customer_id=strange, item_id=strange)])

    assert found["customers"] == [strange]
    assert list(found["items"]) == [strange]


def test_ids_that_went_through_a_spreadsheet_lose_their_point_zero(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", [changed(customer_id="13085.0"), changed(customer_id="")])

    with prepared(config_of(tmp_path)) as found:
        customers = plain(found)["customers"]
    checked = check_data(config_of(tmp_path), day(LATER))

    assert customers == ["13085"]
    assert [(one.column, one.severity) for one in checked.findings] == [("customer_id", "warn")]


def test_ids_keep_their_point_zero_when_only_some_have_it(tmp_path: Path) -> None:
    found = prepare_rows(tmp_path, [changed(customer_id="1.0"), changed(customer_id="1.1")])

    assert found["customers"] == ["1.0", "1.1"]


def test_other_encodings_are_read_when_named(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(LATIN)

    with prepared(config_of(tmp_path, AT.format("orders.csv") + '\nencoding = "cp1252"')) as found:
        items = plain(found)["items"]

    assert list(items) == ["café"]


@pytest.mark.parametrize(
    ("rows", "memory_limit"), [(1_000_000, "300MB"), pytest.param(10_000_000, "1GB", marks=pytest.mark.soak)]
)
def test_millions_of_rows_of_one_customer_stay_within_the_memory_limit(
    rows: int, memory_limit: str, tmp_path: Path
) -> None:
    numbers = ibis.range(rows).unnest().name("n").as_table()
    many = numbers.select(
        order_id=numbers.n.cast("string"),
        customer_id=ibis.literal("ann"),
        item_id=(numbers.n % 50).cast("string"),
        ordered_at=ibis.timestamp("2020-01-01") + ((numbers.n % 1000) * 3600).as_interval("s"),
        quantity=ibis.literal(1),
        line_total=ibis.literal(1.25),
    )
    ibis.duckdb.connect().to_parquet(many, tmp_path / "orders.parquet")
    toml = f'[orders]\npath = "orders.parquet"\n[engine]\nmemory_limit = "{memory_limit}"'

    with prepared(config_of(tmp_path, toml)) as found:
        lines, report = found.n_lines, found.report

    assert report.rows_kept == rows
    assert lines == 1000
    assert report.amount_kept == rows * 125
