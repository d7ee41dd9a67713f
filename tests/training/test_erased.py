from __future__ import annotations

from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from recsvc.bundle.reader import open_bundle
from recsvc.domain.tombstones import tombstone_of
from recsvc.errors import DataError
from tests.trained import train, write_orders, write_shop
from training.erased import read_tombstones
from training.synth import SynthSize

KEY = bytes(range(32))
TINY = SynthSize(customers=120, items=30, lines=3_000, seed=5)


def write_tombstones(path: Path, *customer_ids: str) -> None:
    hashes = [tombstone_of(one, KEY).hex() for one in customer_ids]
    path.write_bytes(orjson.dumps({"key": KEY.hex(), "tombstones": hashes}))


def test_who_was_erased_is_in_no_file_of_the_next_bundle_and_what_they_bought_still_counts(tmp_path: Path) -> None:
    config = write_shop(tmp_path, TINY)
    before = open_bundle(train(config, tmp_path / "before").store.current())
    erased = before.customer_table["customer_id"][0].as_py()
    write_tombstones(tmp_path / "erased.json", erased)
    config.write_text(config.read_text("utf-8") + '\n[erasures]\npath = "erased.json"\n', "utf-8")

    after = open_bundle(train(config, tmp_path / "after").store.current())

    assert after.customers.get(erased) is None
    assert len(after.customers) == len(before.customers) - 1
    written = b"".join(path.read_bytes() for path in after.folder.iterdir() if path.is_file())
    assert erased.encode() not in written
    assert erased not in pq.read_table(after.folder / "customers.parquet")["customer_id"].to_pylist()
    assert len(after.items) == len(before.items)


def test_who_wants_no_personalisation_has_no_place_on_a_list(tmp_path: Path) -> None:
    config = write_shop(tmp_path, TINY)
    first = open_bundle(train(config, tmp_path / "before").store.current()).customer_table["customer_id"][0].as_py()
    (tmp_path / "customers.csv").write_text(f"customer_id,personalisation\n{first},no\n", "utf-8")
    config.write_text(config.read_text("utf-8") + '\n[customers]\npath = "customers.csv"\n', "utf-8")

    bundle = open_bundle(train(config, tmp_path / "after").store.current())

    listed = bundle.customer_table.filter(bundle.customer_table["win_back_rank"].is_valid())
    assert first not in listed["customer_id"].to_pylist()
    assert bundle.customers.win_back_rank(first) is None
    assert bundle.not_to_be_profiled == {first}


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"key": "00", "tombstones": []}', b'{"key": "zz", "tombstones": []}']
)
def test_a_file_that_holds_no_tombstones_is_refused_with_how_to_write_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "erased.json").write_bytes(content)

    with pytest.raises(DataError, match="recsvc privacy tombstones"):
        read_tombstones(tmp_path / "erased.json")


def test_sensitive_categories_are_marked_and_named_nowhere(tmp_path: Path) -> None:
    rows = [(f"c{n % 12}", f"i{n % 6}", f"2025-{1 + n % 11:02}-{1 + n % 27:02}", 1, 5) for n in range(400)]
    write_orders(tmp_path, rows)
    lines = [f"i{n},Thing {n},{'Toys > Dolls' if n % 2 else 'Food > Bread'}" for n in range(6)]
    (tmp_path / "items.csv").write_text("item_id,title,category\n" + "\n".join(lines) + "\n", "utf-8")
    (tmp_path / "shop.toml").write_text(
        'as_of = 2025-12-31\n[orders]\npath = "orders.csv"\n'
        '[items]\npath = "items.csv"\nsensitive_categories = ["toys"]\n[catalogue]\nmin_buyers = 1\n',
        "utf-8",
    )

    recommender = train(tmp_path / "shop.toml", tmp_path / "artifacts").recommender()

    ids = recommender.bundle.items.ids
    assert [bool(recommender.nameable[ids.row(f"i{n}")]) for n in range(6)] == [True, False] * 3
    favourites = recommender.bundle.customer_table["favourite_category_1"].to_pylist()
    assert set(favourites) - {None} == {"Food > Bread"}
