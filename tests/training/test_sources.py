from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsvc.errors import ConfigError, DataError
from tests.training.shop import HEADER, config_of, day, plain, prepared, write_csv

ROWS = [
    ["1", "ann", "tea", "2020-01-01 10:00:00", "1", "2.50"],
    ["2", "bob", "cup", "2020-01-02 11:30:00", "2", "4.00"],
]
EXPECTED = [("ann", day("2020-01-01"), "tea", 1.0, 250), ("bob", day("2020-01-02"), "cup", 2.0, 800)]


def lines_of(folder: Path, toml: str = "") -> list[tuple[object, ...]]:
    with prepared(config_of(folder, toml)) as found:
        return list(plain(found)["lines"])


def test_csv_is_read(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", ROWS)

    assert lines_of(tmp_path) == EXPECTED


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_delimiter_is_found_in_the_header(delimiter: str, newline: str, tmp_path: Path) -> None:
    text = newline.join(delimiter.join(row) for row in [list(HEADER), *ROWS]) + newline
    (tmp_path / "orders.csv").write_bytes(text.encode())

    assert lines_of(tmp_path) == EXPECTED


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", ROWS)
    path = tmp_path / "orders.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert lines_of(tmp_path) == EXPECTED


def test_gzip_is_read(tmp_path: Path) -> None:
    plain_file = write_csv(tmp_path / "all.csv", ROWS)
    (tmp_path / "orders.csv.gz").write_bytes(gzip.compress(plain_file.read_bytes()))

    assert lines_of(tmp_path, '[orders]\npath = "orders.csv.gz"') == EXPECTED


def test_a_glob_is_all_its_files_in_order_of_name(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders-2.csv", ROWS[1:])
    write_csv(tmp_path / "orders-1.csv", ROWS[:1])

    assert lines_of(tmp_path) == EXPECTED


def test_files_of_a_glob_are_matched_by_column_name(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders-1.csv", ROWS[:1])
    write_csv(tmp_path / "orders-2.csv", [[*ROWS[1][::-1], "web"]], [*HEADER[::-1], "channel"])

    assert lines_of(tmp_path) == EXPECTED


def test_quotes_protect_delimiters_and_line_ends(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", [[*row, 'a "title",\nof two lines'] for row in ROWS], [*HEADER, "title"])

    with prepared(config_of(tmp_path)) as found:
        items = plain(found)["items"]

    assert items["tea"]["title"] == 'a "title",\nof two lines'


def test_parquet_keeps_its_types_and_ids_become_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "order_id": [1, 2, 3],
            "customer_id": [13085.0, None, 7.5],
            "item_id": pa.array([10, 11, 12], pa.int64()),
            "ordered_at": pa.array([1_577_872_800_000_000] * 3, pa.timestamp("us")),
            "quantity": [1.5, 1.0, 1.0],
            "line_total": [2.005, 1.0, 1.0],
        }
    )
    pq.write_table(table, tmp_path / "orders.parquet")

    with prepared(config_of(tmp_path, '[orders]\npath = "orders.parquet"')) as found:
        rows = plain(found)

    assert rows["lines"] == [
        ("13085", day("2020-01-01"), "10", 1.5, 201),
        ("7.5", day("2020-01-01"), "12", 1.0, 100),
    ]
    assert list(rows["items"]) == ["10", "11", "12"]


@pytest.mark.parametrize(
    ("zone", "at", "expected"),
    [
        ("UTC", "2020-07-01 23:30", "2020-07-01"),
        ("Europe/London", "2020-07-01 00:30", "2020-06-30"),
        ("America/New_York", "2020-07-01 21:00:00", "2020-07-02"),
        ("America/New_York", "2020-07-01T21:00:00+00:00", "2020-07-01"),
        ("UTC", "2020-07-01T00:30:00+02:00", "2020-06-30"),
        ("UTC", "2020-07-01T00:30:00Z", "2020-07-01"),
        ("UTC", "2020-07-01", "2020-07-01"),
    ],
)
def test_days_are_utc_and_moments_without_a_zone_are_read_in_the_configured_one(
    zone: str, at: str, expected: str, tmp_path: Path
) -> None:
    write_csv(tmp_path / "orders.csv", [["1", "ann", "tea", at, "1", "1"]])

    (line,) = lines_of(tmp_path, f'timezone = "{zone}"')

    assert line[1] == day(expected)


def test_zones_hold_for_parquet_too(tmp_path: Path) -> None:
    at = pa.array([1_593_651_600_000_000], pa.timestamp("us"))  # 2020-07-02 01:00
    columns = {"customer_id": ["ann"], "item_id": ["tea"], "ordered_at": at, "quantity": [1], "unit_price": [1]}
    pq.write_table(pa.table(columns), tmp_path / "orders.parquet")

    (line,) = lines_of(tmp_path, 'timezone = "Europe/Paris"\n[orders]\npath = "orders.parquet"')

    assert line[1] == day("2020-07-01")


def test_dates_can_be_written_in_a_format_of_their_own(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", [["1", "ann", "tea", "1/12/2020 8:26", "1", "1"]])

    (line,) = lines_of(tmp_path, '[orders]\npath = "orders.csv"\nordered_at_format = "%d/%m/%Y %H:%M"')

    assert line[1] == day("2020-12-01")


def test_decimal_commas_are_read_when_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", [["1", "ann", "tea", "2020-01-01", "1", "1.234,50"]])

    (line,) = lines_of(tmp_path, '[orders]\npath = "orders.csv"\ndecimal = ","')

    assert line[4] == 123450


def test_a_discount_comes_off_the_unit_price(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", [[*ROWS[1], "1.50"], [*ROWS[0], ""]], [*HEADER, "discount"])

    assert [line[4] for line in lines_of(tmp_path)] == [250, 650]


def test_no_order_ids_are_needed(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", [row[1:] for row in ROWS], HEADER[1:])

    assert lines_of(tmp_path) == EXPECTED


def test_texts_that_mean_nothing_are_nothing(tmp_path: Path) -> None:
    write_csv(
        tmp_path / "orders.csv", [*ROWS, *([["3", who, "tea", "2020-01-03", "1", "1"] for who in ("nan", " ", "NA")])]
    )

    with prepared(config_of(tmp_path)) as found:
        rows = plain(found)

    assert rows["customers"] == ["ann", "bob"]
    assert rows["rows"] == {"no_customer": 1, "exact_duplicate": 2}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table lines (bill int, client int, product text, at text, n int, price real)")
        connection.executemany("insert into lines values (?, ?, ?, ?, ?, ?)", [[1, 7, "007", "2020-01-01", 2, 1.25]])
        connection.execute("insert into lines values (2, null, '007', '2020-01-02', 1, 1.25)")
    connection.close()
    return path


QUERY = (
    "select bill as order_id, client as customer_id, product as item_id, at as ordered_at, n as quantity, "
    "price as unit_price from lines"
)


def test_a_query_is_a_table(database: Path, tmp_path: Path) -> None:
    toml = f'[orders]\nurl = "sqlite:///{database}"\nquery = "{QUERY}"'

    with prepared(config_of(tmp_path, toml)) as found:
        rows = plain(found)

    assert rows["lines"] == [("7", day("2020-01-01"), "007", 2.0, 250)]
    assert rows["items"]["007"]["units"] == 3.0


def test_a_query_without_rows_says_so(database: Path, tmp_path: Path) -> None:
    toml = f'[orders]\nurl = "sqlite:///{database}"\nquery = "{QUERY} where 1 = 0"'

    with pytest.raises(DataError, match="there is no order line"), prepared(config_of(tmp_path, toml)):
        pass


def test_passwords_stay_out_of_messages(tmp_path: Path) -> None:
    toml = '[orders]\nurl = "nosuch://me:secret@host/db"\nquery = "select 1"'

    with pytest.raises(ConfigError) as caught, prepared(config_of(tmp_path, toml)):
        pass

    assert "secret" not in str(caught.value)


def test_the_session_leaves_nothing_behind(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", ROWS)
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    lines_of(tmp_path, f'[engine]\ntemp_dir = "{scratch}"')

    assert list(scratch.iterdir()) == []


def test_a_scratch_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "orders.csv", ROWS)

    with pytest.raises(ConfigError, match=r"engine\.temp_dir"):
        lines_of(tmp_path, '[engine]\ntemp_dir = "/nowhere/at/all"')
