from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest

from recsvc.bundle.reader import open_bundle
from recsvc.domain.tombstones import tombstone_of
from recsvc.errors import DataError
from recsvc.serving.recommender import Recommender
from tests.trained import Trained, train, write_orders
from training import trainer
from training.erased import read_tombstones

KEY = bytes(range(32))


@pytest.fixture(autouse=True)
def _without_ranker(monkeypatch: pytest.MonkeyPatch) -> None:
    """No label days: learning to rank takes half of a training, and erasure does not depend on it."""
    monkeypatch.setattr(trainer, "LABEL_DAYS", 0)


@pytest.fixture
def shop(trained: Trained, tmp_path: Path) -> Path:
    """Config of the shop that `trained` was trained on, in a folder of its own."""
    shutil.copytree(trained.config_file.parent, tmp_path / "shop", ignore=shutil.ignore_patterns("artifacts"))
    return tmp_path / "shop" / trained.config_file.name


def add_section(config: Path, section: str) -> None:
    config.write_text(f"{config.read_text('utf-8')}\n{section}\n", "utf-8")


def write_tombstones(path: Path, *customer_ids: str) -> None:
    hashes = [tombstone_of(one, KEY).hex() for one in customer_ids]
    path.write_bytes(orjson.dumps({"key": KEY.hex(), "tombstones": hashes}))


def test_who_was_erased_or_wants_no_personalisation_is_left_out_and_what_they_bought_counts(
    shop: Path, recommender: Recommender, everybody: list[str]
) -> None:
    before, (erased, unprofiled) = recommender.bundle, everybody[:2]
    write_tombstones(shop.parent / "erased.json", erased)
    (shop.parent / "customers.csv").write_text(f"customer_id,personalisation\n{unprofiled},no\n", "utf-8")
    add_section(shop, '[erasures]\npath = "erased.json"\n[customers]\npath = "customers.csv"')

    after = open_bundle(train(shop, shop.parent / "artifacts").store.current())

    assert after.customers.get(erased) is None
    assert len(after.customers) == len(before.customers) - 1
    written = b"".join(path.read_bytes() for path in after.folder.iterdir() if path.is_file())
    assert erased.encode() not in written
    assert len(after.items) == len(before.items)
    listed = after.customer_table.filter(after.customer_table["win_back_rank"].is_valid())
    assert unprofiled not in listed["customer_id"].to_pylist()
    assert after.customers.win_back_rank(unprofiled) is None
    assert after.customers.get(unprofiled) is not None
    assert after.not_to_be_profiled == {unprofiled}


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
