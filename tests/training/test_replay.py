"""Cut-offs, truth and the pooled table of a back-test."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from recsvc.domain.ids import ItemIds
from tests.trained import Trained, train, write_orders
from tests.training.shop import config_of, day
from training.backtest import METHODS, METRICS, NEW_HIT, PROPOSED, Key, Lists, Replay, judged, pooled, table
from training.config import TrainingConfig
from training.pipeline import cut_offs, headline
from training.session import open_session
from training.source_recall import SHORTLIST, SPLITS, UNION
from training.split import GROUPS, Cohort
from training.tables import load_tables
from training.truth import first_orders, lines_between, spend_after

START = date(2024, 1, 1)
KEYS = [(method, split, metric) for method in METHODS for split in SPLITS for metric in METRICS]
IDS = ItemIds([f"i{row}" for row in range(7)])


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

    config = config_of(tmp_path, "[services]\nitem_id_pattern = '^post$'\n")
    with open_session(config) as session:
        lines = lines_between(load_tables(session, config), day("2024-01-11"), day("2024-01-14"))
        truth, spent = first_orders(lines), spend_after(lines)

    assert truth == {"a": frozenset({"jam", "bun"}), "c": frozenset({"egg"})}
    assert spent == {"a": 3.0, "c": 1.0}  # a day of services only is no order


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


def judged_alone(ranking: list[int], bought: list[int], truth: set[str], **found: int) -> dict[Key, float]:
    shown = Lists(
        "a", {"ranking": np.array(ranking)}, np.array(bought), tuple(("own", split, n) for split, n in found.items())
    )
    tested = Cohort(("a",), {"a": frozenset(truth)}, {name: np.ones(1, bool) for name in GROUPS})
    return {key: float(value[0]) for key, value in judged([shown], tested, IDS).values.items()}


def test_a_customer_is_judged_on_all_on_what_they_had_and_on_what_is_new_to_them() -> None:
    found = judged_alone([0, 5, 1, 6], [0, 1, 2], {"i1", "i6"})

    assert found["ranking", "all", "recall@10"] == 1.0
    assert found["ranking", "repeat", "ndcg@10"] == pytest.approx(1 / np.log2(3))  # i1 is second of i0, i1
    assert found["ranking", "explore", "ndcg@10"] == pytest.approx(1 / np.log2(3))  # i6 is second of i5, i6
    assert found["ranking", "all", NEW_HIT] == 1.0


def test_a_split_without_truth_does_not_apply() -> None:
    found = judged_alone([0], [0], {"i0"}, repeat=1, explore=0)

    assert np.isnan(found["ranking", "explore", "ndcg@10"])
    assert np.isnan(found["own", "explore", PROPOSED])
    assert found["own", "repeat", PROPOSED] == 1.0
    assert found["ranking", "all", NEW_HIT] == 0.0


def test_what_nobody_can_recommend_counts_against_the_sources_too() -> None:
    found = judged_alone([0], [0], {"i0", "not in the table"}, all=1, repeat=1, explore=0)

    assert (found["own", "all", PROPOSED], found["own", "explore", PROPOSED]) == (0.5, 0.0)


def replay_of(customer_ids: tuple[str, ...], value: float) -> Replay:
    everybody = np.ones(len(customer_ids), bool)
    groups = {name: everybody if name in {"all", "lapsed"} else ~everybody for name in GROUPS}
    return Replay(customer_ids, groups, {key: np.full(len(customer_ids), value) for key in KEYS})


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


def test_the_union_of_the_sources_holds_what_each_of_them_found_and_the_shortlist_no_more(trained: Trained) -> None:
    everybody = [row for row in trained.outcome.rows if (row.group, row.metric) == ("all", PROPOSED)]

    share = {(row.method, row.split): row.estimate.mean for row in everybody}
    sources = {row.method for row in everybody} - {UNION, SHORTLIST}
    assert {"own_history", "taste", "trending"} <= sources
    for split in SPLITS:
        each = [share[source, split] for source in sources]
        assert max(each) <= share[UNION, split] <= sum(each)
        assert 0 < share[SHORTLIST, split] <= share[UNION, split]
    assert (share["own_history", "explore"], share["taste", "repeat"]) == (0.0, 0.0)
