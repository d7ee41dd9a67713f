from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from training.config import load_config
from training.synth import LINES_PER_PART, SynthSize, plan_groups, synth, write_synth

SMALL = SynthSize(customers=400, items=120, lines=12_000, seed=7)


def read_orders(folder: Path) -> pd.DataFrame:
    parts = [pd.read_parquet(part) for part in sorted((folder / "orders").glob("*.parquet"))]
    return pd.concat(parts).astype({"customer_id": str, "item_id": str})


@pytest.fixture(scope="module")
def shop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    write_synth(SMALL, folder)
    return folder


def test_there_are_exactly_as_many_lines_as_asked_for(shop_folder: Path) -> None:
    orders = read_orders(shop_folder)

    assert len(orders) == SMALL.lines
    assert orders["customer_id"].nunique() == SMALL.customers
    assert set(orders["item_id"]) <= set(pd.read_parquet(shop_folder / "items.parquet")["item_id"])


def test_equal_arguments_give_equal_files(shop_folder: Path, tmp_path: Path) -> None:
    write_synth(SMALL, tmp_path)

    for name in ("items.parquet", "orders/part-0000.parquet", "config.toml"):
        assert (tmp_path / name).read_bytes() == (shop_folder / name).read_bytes()


def test_another_seed_gives_other_orders(shop_folder: Path, tmp_path: Path) -> None:
    write_synth(SynthSize(SMALL.customers, SMALL.items, SMALL.lines, seed=8), tmp_path)

    part = "orders/part-0000.parquet"
    assert (tmp_path / part).read_bytes() != (shop_folder / part).read_bytes()


def test_parts_of_a_larger_run_do_not_stay_behind(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "part-0007.parquet").write_bytes(b"of an earlier run")

    write_synth(SynthSize(5, 5, 50, 1), tmp_path)

    assert [part.name for part in (tmp_path / "orders").iterdir()] == ["part-0000.parquet"]


def test_every_return_gives_back_something_bought_before_at_the_same_price(shop_folder: Path) -> None:
    orders = read_orders(shop_folder)
    returns, bought = orders[orders["quantity"] < 0], orders[orders["quantity"] > 0]
    key = ["customer_id", "item_id", "unit_price"]

    pairs = returns.reset_index().merge(bought, on=key, suffixes=("", "_bought"))
    earlier = pairs[pairs["ordered_at_bought"] < pairs["ordered_at"]]

    assert 0 < len(returns) < 0.03 * len(orders)
    assert earlier.groupby(["order_id"]).ngroups == len(returns)
    assert returns["order_id"].str.startswith("R").all()
    assert bought["order_id"].str.startswith("O").all()


def test_an_order_is_one_customer_at_one_moment(shop_folder: Path) -> None:
    orders = read_orders(shop_folder)

    assert (orders.groupby("order_id")["customer_id"].nunique() == 1).all()
    assert (orders.groupby("order_id")["ordered_at"].nunique() == 1).all()


def test_customers_lapse_repeat_and_have_their_own_rhythm(shop_folder: Path) -> None:
    orders = read_orders(shop_folder)
    bought = orders[orders["quantity"] > 0].assign(day=lambda frame: frame["ordered_at"].dt.floor("D"))
    days = bought[["customer_id", "day"]].drop_duplicates().sort_values(["customer_id", "day"])
    silent = (bought["day"].max() - days.groupby("customer_id")["day"].max()).dt.days
    gaps = days.assign(gap=days.groupby("customer_id")["day"].diff().dt.days).dropna()
    rhythm = gaps.groupby("customer_id")["gap"].median()
    repeats = bought.groupby(["customer_id", "item_id"])["day"].nunique()

    assert 0.2 < (silent > 90).mean() < 0.8
    assert rhythm.quantile(0.9) > 3 * rhythm.quantile(0.1)
    assert (repeats > 1).mean() > 0.1


def test_taste_clusters(shop_folder: Path) -> None:
    items = pd.read_parquet(shop_folder / "items.parquet").set_index("item_id")
    orders = read_orders(shop_folder)
    share = pd.crosstab(orders["customer_id"], orders["item_id"].map(items["category"]), normalize="index")

    assert len(share.columns) == 3
    assert share.max(axis=1).mean() > 0.5


def test_new_items_keep_arriving(shop_folder: Path) -> None:
    first_sale = read_orders(shop_folder).groupby("item_id")["ordered_at"].min()

    assert (first_sale > first_sale.min() + pd.Timedelta(days=365)).sum() >= 3


def test_the_config_names_the_files_and_cutoffs_with_a_whole_horizon_after_them(shop_folder: Path) -> None:
    load_config(shop_folder / "config.toml")
    config = tomllib.loads((shop_folder / "config.toml").read_text(encoding="utf-8"))
    last_day = read_orders(shop_folder)["ordered_at"].max()

    assert list(shop_folder.glob(config["orders"]["path"]))
    assert (shop_folder / config["items"]["path"]).exists()
    for cutoff in config["backtest"]["as_of"]:
        assert pd.Timestamp(cutoff) + pd.Timedelta(days=config["horizon_days"]) <= last_day + pd.Timedelta(days=2)


@pytest.mark.parametrize(("customers", "items", "lines"), [(1, 1, 1), (1, 1, 500), (50, 3, 20), (3, 40, 9_000)])
def test_odd_sizes_still_give_exactly_what_was_asked_for(
    customers: int, items: int, lines: int, tmp_path: Path
) -> None:
    write_synth(SynthSize(customers, items, lines, 1), tmp_path)

    orders = read_orders(tmp_path)
    assert len(orders) == lines
    assert orders["customer_id"].nunique() <= customers
    assert (orders["unit_price"] > 0).all()
    assert (orders["quantity"] != 0).all()


def test_columns_are_those_of_the_data_contract(shop_folder: Path) -> None:
    orders = pq.read_schema(shop_folder / "orders" / "part-0000.parquet")
    items = pq.read_schema(shop_folder / "items.parquet")

    assert orders.names == ["order_id", "customer_id", "item_id", "ordered_at", "quantity", "unit_price"]
    assert items.names == ["item_id", "title", "category", "brand", "price"]


@settings(deadline=None)
@given(customers=st.integers(1, 5_000_000), lines=st.integers(1, 200_000_000), seed=st.integers(0, 9))
def test_groups_divide_customers_and_lines_without_gap(customers: int, lines: int, seed: int) -> None:
    groups = plan_groups(SynthSize(customers, 100, lines, seed))

    ends = np.cumsum([group.n_customers for group in groups])
    assert ends[-1] == customers
    assert [group.first_customer for group in groups] == [0, *ends[:-1]]
    assert sum(group.n_lines for group in groups) == lines
    assert all(group.n_customers >= 1 and group.n_lines >= 1 for group in groups)
    assert customers < len(groups) or max(g.n_lines for g in groups) <= LINES_PER_PART or len(groups) == customers


@pytest.fixture(scope="module")
def touched_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("touched")
    write_synth(replace(SMALL, touchpoints=True), folder)
    return folder


def read_part(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / name / "part-0000.parquet").astype({"customer_id": str})


def test_orders_are_the_same_with_and_without_touchpoints(shop_folder: Path, touched_folder: Path) -> None:
    for name in ("items.parquet", "orders/part-0000.parquet"):
        assert (touched_folder / name).read_bytes() == (shop_folder / name).read_bytes()
    assert not (shop_folder / "events").exists()


def test_the_config_names_the_tables_it_comes_with(touched_folder: Path) -> None:
    config = load_config(touched_folder / "config.toml")

    for name in ("contacts", "events", "feedback"):
        assert getattr(config, name).path == str(touched_folder / name / "*.parquet")
    assert (config.customers, config.promotions) == (None, None)


def test_equal_arguments_give_equal_touchpoints(touched_folder: Path, tmp_path: Path) -> None:
    write_synth(replace(SMALL, touchpoints=True), tmp_path)

    for name in ("contacts", "events", "feedback"):
        part = f"{name}/part-0000.parquet"
        assert (tmp_path / part).read_bytes() == (touched_folder / part).read_bytes()


def test_who_stays_away_for_good_was_less_content_and_is_seen_no_more(touched_folder: Path) -> None:
    last_order = read_orders(touched_folder).groupby("customer_id")["ordered_at"].max()
    silent = last_order[last_order < last_order.max() - pd.Timedelta(days=300)]
    feedback, events = read_part(touched_folder, "feedback"), read_part(touched_folder, "events")
    nps = feedback[feedback["kind"] == "nps"].merge(last_order.rename("last"), on="customer_id")

    after = nps[(nps["occurred_at"] > nps["last"]) & nps["customer_id"].isin(silent.index)]
    assert after["score"].mean() < nps["score"].mean() - 2
    seen = events[events["customer_id"].isin(silent.index)].groupby("customer_id")["occurred_at"].max()
    assert ((seen - silent.reindex(seen.index)).dt.days < 90).mean() > 0.9


def test_nobody_is_contacted_before_their_first_order_or_opens_what_was_held_out(touched_folder: Path) -> None:
    first_order = read_orders(touched_folder).groupby("customer_id")["ordered_at"].min().rename("first")
    contacts = read_part(touched_folder, "contacts").merge(first_order, on="customer_id")

    assert (contacts["sent_at"] > contacts["first"]).all()
    assert contacts.loc[contacts["held_out"], "opened_at"].isna().all()
    assert (contacts["opened_at"].dropna() > contacts.loc[contacts["opened_at"].notna(), "sent_at"]).all()
    assert 0.05 < contacts["held_out"].mean() < 0.15


@pytest.mark.parametrize(("customers", "lines"), [(1, 1), (50, 20), (3, 2_000)])
def test_odd_sizes_have_touchpoints_too(customers: int, lines: int, tmp_path: Path) -> None:
    config = write_synth(SynthSize(customers, 5, lines, 1, touchpoints=True), tmp_path)

    assert config.exists()
    for name in ("contacts", "events", "feedback"):
        assert read_part(tmp_path, name)["customer_id"].nunique() <= customers


def test_the_command_says_how_to_train(tmp_path: Path) -> None:
    arguments = ["--customers", "5", "--items", "5", "--lines", "50", "--out", str(tmp_path / "shop")]

    result = CliRunner().invoke(synth, arguments)

    assert result.exit_code == 0
    assert "50 order lines" in result.stdout
    assert f"recsvc-train fit {tmp_path / 'shop' / 'config.toml'}" in result.stdout


def test_the_command_refuses_a_shop_without_customers(tmp_path: Path) -> None:
    arguments = ["--customers", "0", "--items", "5", "--lines", "50", "--out", str(tmp_path)]

    result = CliRunner().invoke(synth, arguments)

    assert result.exit_code == 2
    assert "--customers" in result.output
