"""Cut-offs, truth and the pooled table of a back-test."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.trained import Trained, train, write_orders
from tests.training.shop import config_of, day, prepared
from training.backtest import METRICS, SPLITS, Replay, _judge, _keys, pooled, table
from training.config import TrainingConfig
from training.pipeline import cut_offs, headline
from training.truth import first_orders

START = date(2024, 1, 1)
GROUPS = ("all", "lapsed", "lapsed_high_value", "bought_once")


class Ids:
    def id(self, row: int) -> str:
        return f"i{row}"


def test_truth_is_the_first_order_on_or_after_the_day_products_only(tmp_path: Path) -> None:
    rows = [
        ("a", "tea", START, 1, "1.00"),
        ("a", "jam", START + timedelta(10), 1, "1.00"),
        ("a", "bun", START + timedelta(10), 1, "1.00"),
        ("a", "tea", START + timedelta(11), 1, "1.00"),
        ("b", "tea", START + timedelta(9), 1, "1.00"),
        ("c", "post", START + timedelta(10), 1, "1.00"),
        ("c", "egg", START + timedelta(12), 1, "1.00"),
    ]
    write_orders(tmp_path, rows)

    with prepared(config_of(tmp_path, "[services]\nitem_id_pattern = '^post$'\n")) as found:
        truth = first_orders(found, day("2024-01-11"))

    assert truth == {"a": frozenset({"jam", "bun"}), "c": frozenset({"egg"})}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((), [1_820, 1_850, 1_880]),
        (("2024-12-01", "2024-11-01"), [1_820, 1_850, 1_880]),
        (("1975-01-01",), [1_826]),
        (("1975-01-01", "1970-01-02", "1975-03-25"), [1_826]),
    ],
)
def test_days_replayed_leave_a_horizon_before_and_behind(asked: tuple[str, ...], expected: list[int]) -> None:
    config = TrainingConfig.model_validate({"horizon_days": 90, "backtest": {"as_of": asked}})

    assert cut_offs(config, as_of_day=1_970, first_day=0) == expected


def test_a_short_history_is_not_replayed() -> None:
    assert cut_offs(TrainingConfig(horizon_days=90), as_of_day=150, first_day=0) == []


def test_a_shop_that_began_with_a_single_sale_can_be_trained(tmp_path: Path) -> None:
    trade = [
        (f"c{customer}", f"i{(customer + again) % 5}", START + timedelta(25 + customer + 9 * again), 1, "1.00")
        for customer in range(20)
        for again in range(3)
    ]
    write_orders(tmp_path, [("pilot", "i0", START, 1, "1.00"), *trade])
    (tmp_path / "shop.toml").write_text('horizon_days = 10\n[orders]\npath = "orders.csv"\n[als]\nfactors = 4\n')

    fitted = train(tmp_path / "shop.toml", tmp_path / "artifacts", as_of="2024-02-05")

    assert fitted.outcome.cut_offs == ()  # a horizon before as_of nothing but that sale was known
    assert fitted.store.current_id() == fitted.bundle_id


def test_a_customer_is_judged_on_all_on_what_they_had_and_on_what_is_new_to_them() -> None:
    lists = {"ranking": np.array([0, 5, 1, 6])}

    found = dict(_judge(lists, np.array([0, 1, 2]), frozenset({"i1", "i6"}), Ids()))  # type: ignore[arg-type]

    assert found["ranking", "all", "recall@10"] == 1.0
    assert found["ranking", "repeat", "ndcg@10"] == pytest.approx(1 / np.log2(3))  # i1 is second of i0, i1
    assert found["ranking", "explore", "ndcg@10"] == pytest.approx(1 / np.log2(3))  # i6 is second of i5, i6
    assert found["ranking", "all", "new_hit@10"] == 1.0


def test_a_split_without_truth_does_not_apply() -> None:
    found = dict(_judge({"ranking": np.array([0])}, np.array([0]), frozenset({"i0"}), Ids()))  # type: ignore[arg-type]

    assert np.isnan(found["ranking", "explore", "ndcg@10"])
    assert found["ranking", "all", "new_hit@10"] == 0.0


def replay_of(customer_ids: tuple[str, ...], value: float) -> Replay:
    everybody = np.ones(len(customer_ids), bool)
    groups = {name: everybody if name in {"all", "lapsed"} else ~everybody for name in GROUPS}
    return Replay(customer_ids, groups, {key: np.full(len(customer_ids), value) for key in _keys()})


def test_pooled_replays_are_one_table_with_paired_differences() -> None:
    rows = table(pooled([replay_of(("a", "b"), 0.0), replay_of(("a",), 0.6)]))

    found = {(row.group, row.method, row.split, row.metric): row for row in rows}
    assert {row.group for row in rows} == {"all", "lapsed"}
    one = found["all", "ranking", "all", "ndcg@10"]
    assert (one.n, one.estimate.mean) == (3, pytest.approx(0.2))
    paired = found["all", "ranking - p_topfreq", "explore", "ndcg@10"].estimate
    assert (paired.mean, paired.low, paired.high) == (0, 0, 0)
    assert headline(rows)["all ranking ndcg@10"] == pytest.approx(0.2)


def test_every_figure_of_a_real_back_test_lies_where_it_may(trained: Trained) -> None:
    rows = trained.outcome.rows
    for row in rows:
        low, high = (-1, 1) if " - " in row.method else (0, 1)
        assert low <= row.estimate.low <= row.estimate.mean + 1e-12 <= row.estimate.high + 2e-12 <= high + 1e-9
        assert row.n > 0
    assert {row.metric for row in rows} >= set(METRICS)
    assert {row.split for row in rows} == set(SPLITS)
    assert trained.outcome.cut_offs == (day("2025-11-01"),)
