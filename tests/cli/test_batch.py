from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsvc.cli.main import main
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query
from tests.running import Ended, run
from tests.trained import NOW, Trained

Batch = Callable[..., Ended]


@pytest.fixture
def batch(trained: Trained, capsys: pytest.CaptureFixture[str]) -> Batch:
    return lambda *arguments: run(capsys, main, "batch", *arguments, "--artifacts", trained.artifacts)


def read_rows(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".parquet":
        rows: list[dict[str, object]] = pq.read_table(path).to_pylist()
        return rows
    if path.suffix == ".jsonl":
        return [orjson.loads(line) for line in path.read_bytes().splitlines()]
    with path.open(newline="", encoding="utf-8") as file:
        return [{**row, "rank": int(row["rank"]), "score": float(row["score"])} for row in csv.DictReader(file)]


def test_every_kind_of_file_holds_the_same_slates(
    batch: Batch, recommender: Recommender, everybody: list[str], tmp_path: Path
) -> None:
    files = [tmp_path / f"slates{ending}" for ending in (".parquet", ".csv", ".jsonl")]

    for file in files:
        ended = batch("--state", "lapsed", "--state", "lost", "--k", 3, "--explore-slots", 1, "--out", file)
        assert (ended.code, ended.out) == (0, "")

    first, *others = [read_rows(file) for file in files]
    assert others == [first, first]
    listed = [one for one in everybody if recommender.bundle.customers.win_back_rank(one)]
    assert list(dict.fromkeys(row["customer_id"] for row in first)) == listed
    slate = recommender.recommend(Query(listed[0], k=3, explore_slots=1), now=NOW)
    assert [(row["item_id"], row["rank"], row["score"]) for row in first[:3]] == [
        (one.item_id, one.rank, one.score) for one in slate.items
    ]
    assert json.loads(str(first[0]["reasons"])) == [{"code": r.code, "text": r.text} for r in slate.items[0].reasons]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["slates.csv", "slates.jsonl", "slates.parquet"]


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
def test_what_earlier_files_show_steps_back(
    batch: Batch, recommender: Recommender, everybody: list[str], tmp_path: Path, ending: str
) -> None:
    first, second, third = (tmp_path / f"{name}{ending}" for name in ("first", "second", "third"))

    batch("--all", "--k", 5, "--out", first)
    batch("--all", "--k", 5, "--shown", first, "--out", second)
    batch("--all", "--k", 5, "--shown", first, "--shown", second, "--shown-since", "2026-01-05", "--out", third)

    shown = [recommender.recommend(Query(everybody[0], k=5), now=NOW)]
    for file, since in ((second, None), (third, NOW.date())):
        sent = tuple(item.item_id for slate in shown for item in slate.items)
        shown.append(recommender.recommend(Query(everybody[0], k=5, shown=sent, shown_since=since), now=NOW))
        rows = [row["item_id"] for row in read_rows(file) if row["customer_id"] == everybody[0]]
        assert rows == [item.item_id for item in shown[-1].items]
    assert shown[1].items != shown[0].items


def test_a_file_that_does_not_say_what_was_shown_is_refused(batch: Batch, tmp_path: Path) -> None:
    (tmp_path / "sent.csv").write_text("customer_id\n1\n")

    ended = batch("--all", "--shown", tmp_path / "sent.csv", "--out", tmp_path / "out.csv")

    assert ended.code == 2
    assert "has no column item_id" in ended.one_line_error()


def test_filters_and_rules_shape_every_slate(batch: Batch, recommender: Recommender, tmp_path: Path) -> None:
    prices = {one: recommender.item(one).price or 0.0 for one in map(recommender.bundle.items.ids.id, range(80))}
    dear = max(prices, key=lambda one: prices[one])
    middle = sorted(prices.values())[40]
    rules = ("--where", f"price >= {middle}", "--rule", f'pin 2 where item_id = "{dear}"', "--category-cap", 2)

    ended = batch("--all", "--k", 4, *rules, "--out", tmp_path / "out.jsonl")

    assert ended.code == 0
    rows = read_rows(tmp_path / "out.jsonl")
    assert all(prices[str(row["item_id"])] >= middle for row in rows)
    assert {row["item_id"] for row in rows if row["rank"] == 2} == {dear}


def test_a_wrong_filter_is_one_line_that_names_the_place_and_the_columns(batch: Batch, tmp_path: Path) -> None:
    ended = batch("--all", "--where", "prize < 5", "--out", tmp_path / "out.jsonl")

    assert ended.code == 2
    assert "character 1: expected a column, found 'prize < 5'" in ended.one_line_error()
    assert "price" in ended.one_line_error()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_file_of_customers_is_answered_once_each_in_its_order_ids_as_text(
    batch: Batch, everybody: list[str], tmp_path: Path, ending: str
) -> None:
    ids, asked = [everybody[3], "007", everybody[1], everybody[3], "ä/🛒"], tmp_path / f"asked{ending}"
    table = pa.table({"other": range(5), "customer_id": ids})
    if ending == ".csv":
        asked.write_text("other,customer_id\n" + "".join(f"{n},{one}\n" for n, one in enumerate(ids)), encoding="utf-8")
    else:
        pq.write_table(table, asked)

    assert batch("--customers", asked, "--k", 1, "--out", tmp_path / "out.jsonl").code == 0

    rows = read_rows(tmp_path / "out.jsonl")
    assert [row["customer_id"] for row in rows] == [everybody[3], "007", everybody[1], "ä/🛒"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--all", "--out", "slates.xlsx"), "end it in .parquet, .csv or .jsonl"),
        (("--all", "--out", "no/such/folder.csv"), "cannot be written"),
        (("--customers", "missing.csv", "--out", "a.csv"), "missing.csv"),
        (("--customers", ".", "--out", "a.csv"), "cannot be read"),
        (("--customers", "wrong.csv", "--out", "a.csv"), "rename the column"),
        (("--customers", "fake.parquet", "--out", "a.csv"), "cannot be read"),
        (("--customers", "latin.csv", "--out", "a.csv"), "latin.csv"),
    ],
)
def test_a_wrong_file_is_one_clear_line_and_no_file_appears(
    batch: Batch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.csv").write_text("customer\n1\n")
    Path("fake.parquet").write_text("no parquet")
    Path("latin.csv").write_bytes("customer_id\nä\n".encode("latin-1"))
    before = sorted(tmp_path.iterdir())

    ended = batch(*arguments)

    assert ended.code == 2
    assert says in ended.one_line_error()
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("whom", [(), ("--all", "--state", "lost"), ("--state", "asleep"), ("--all", "--k", "0")])
def test_unclear_wishes_are_the_callers_mistake(batch: Batch, tmp_path: Path, whom: tuple[str, ...]) -> None:
    ended = batch(*whom, "--out", tmp_path / "out.csv")

    assert ended.code == 2
    assert "Error" in ended.err


def test_nobody_asked_for_gives_an_empty_file_with_columns(trained: Trained, batch: Batch, tmp_path: Path) -> None:
    (tmp_path / "nobody.csv").write_text("customer_id\n")

    assert batch("--customers", tmp_path / "nobody.csv", "--out", tmp_path / "out.parquet").code == 0

    columns = ["customer_id", "rank", "item_id", "score", "reasons"]
    assert pq.read_table(tmp_path / "out.parquet").column_names == columns


def test_without_a_live_bundle_it_says_how_to_get_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = run(capsys, main, "batch", "--all", "--out", tmp_path / "a.csv", "--artifacts", tmp_path / "new")

    assert ended.code == 2
    assert "recsvc-train fit" in ended.one_line_error()
