"""The same data, config and seed give the same bundle, and what happened on or after `as_of` gives no other."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from recsvc.bundle.manifest import MANIFEST
from tests.trained import Trained, files_of, train, write_shop

AS_OF, CUT_OFF = datetime(2025, 11, 15), "2025-09-16"  # noqa: DTZ001  the files hold local times without a zone


def bundle_files(trained: Trained) -> dict[str, bytes]:
    files = files_of(trained.artifacts / trained.bundle_id)
    del files[MANIFEST]
    return files


def replace_the_future(config_file: Path, as_of: datetime) -> None:
    """Other lines on and after a day: other customers, items and prices, some gone, and returns of what came before."""
    for part in sorted((config_file.parent / "orders").iterdir()):
        orders = pq.read_table(part)
        later = pc.greater_equal(orders["ordered_at"], pa.scalar(as_of, orders.schema.field("ordered_at").type))
        past, future = orders.filter(pc.invert(later)), shuffled(orders.filter(later).slice(50))
        assert len(future) > 200
        returned = past.slice(len(past) - 200)
        numbers = pa.array([f"R-late-{number}" for number in range(200)])
        returned = with_column(returned, "order_id", numbers)
        returned = with_column(returned, "ordered_at", future["ordered_at"].slice(0, 200))
        pq.write_table(pa.concat_tables([returned, future, past]), part)


def shuffled(orders: pa.Table) -> pa.Table:
    rng = np.random.default_rng(11)
    for name in ("customer_id", "item_id", "quantity", "unit_price"):
        orders = with_column(orders, name, orders[name].take(pa.array(rng.permutation(len(orders)))))
    return orders


def with_column(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.column_names.index(name), table.schema.field(name), column)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A bundle as of a day in the middle of the data."""
    folder = tmp_path_factory.mktemp("past")
    return train(write_shop(folder), folder / "artifacts", as_of=f"{AS_OF:%Y-%m-%d}", backtest__as_of=[CUT_OFF])


def test_training_twice_gives_the_same_id_and_the_same_files(trained: Trained, tmp_path: Path) -> None:
    elsewhere = write_shop(tmp_path / "elsewhere")

    again = train(elsewhere, tmp_path / "artifacts", engine__memory_limit="1GB")

    assert again.bundle_id == trained.bundle_id
    assert bundle_files(again) == bundle_files(trained)


def test_nothing_on_or_after_the_cut_off_leaks_into_the_bundle(past: Trained, tmp_path: Path) -> None:
    config_file = write_shop(tmp_path)
    replace_the_future(config_file, AS_OF)

    again = train(config_file, tmp_path / "after", as_of=f"{AS_OF:%Y-%m-%d}", backtest__as_of=[CUT_OFF])

    files = bundle_files(past)
    assert [name for name, content in bundle_files(again).items() if content != files[name]] == []
    assert again.bundle_id == past.bundle_id
    assert again.outcome.rows == past.outcome.rows != ()


def test_a_bundle_of_the_past_has_seen_nothing_later(past: Trained) -> None:
    bundle = past.recommender().bundle

    assert int(bundle.items.last_day.max()) < bundle.items.as_of_day
    histories, known = bundle.customers.get_many(bundle.customer_table["customer_id"].to_pylist())
    assert known.all()
    assert int(histories.order_day.max()) < bundle.items.as_of_day
    assert past.outcome.manifest.window.last_order_on < f"{AS_OF:%Y-%m-%d}"


def test_the_recipe_is_how_to_train_not_where(trained: Trained) -> None:
    recipe = trained.config.digest()
    config = trained.config

    elsewhere = config.orders.model_copy(update={"path": "elsewhere.csv"})
    assert config.model_copy(update={"orders": elsewhere}).digest() == recipe
    other_seed = config.als.model_copy(update={"random_state": 8})
    assert config.model_copy(update={"als": other_seed}).digest() != recipe
    assert config.model_copy(update={"horizon_days": 61}).digest() != recipe
