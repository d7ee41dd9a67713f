"""A reason counts as far as it is more common among those who left than among comparable customers who stayed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from recsvc.bundle.reader import CUSTOMER_TABLE
from recsvc.domain.arrays import Counts, Mask
from recsvc.domain.history import take
from recsvc.domain.profiles import Profiles
from recsvc.domain.segments import SEGMENTS
from tests.trained import silence
from tests.training.leavers import AS_OF, LIMIT_DAYS, SIZES, Leavers, leavers, write_leavers
from tests.training.shop import prepared
from training.churn_compare import ANY, Explained, compare
from training.churn_evidence import REASONS, Troubles
from training.churn_reasons import NOT_EXPLAINED, ChurnEvidence, ChurnReasons, no_churn_reasons, with_reasons
from training.churn_stated import MOST_NAMED, OTHER, Statements, count_stated
from training.report_reasons import print_reasons
from training.staging import stage

JUDGED = np.ones(len(REASONS), bool)
TRUTH = {
    ("price", "price_rise"),
    ("gone", "favourite_gone"),
    ("faded", "category_faded"),
    ("plain", None),
    ("stays", None),
}
SMALL = """
horizon_days = 60
[als]
factors = 8
iterations = 2
"""


def named_by_group(table: pa.Table) -> set[tuple[str, str | None]]:
    """Every pair of a customer's group and likely reason in a customer table."""
    return {(row["customer_id"].partition("-")[0], row["likely_reason"]) for row in table.to_pylist()}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Leavers]:
    with leavers(tmp_path_factory.mktemp("leavers")) as found:
        yield found


def reasons_of(shop: Leavers, statements: Statements | None = None, troubles: Troubles | None = None) -> ChurnReasons:
    gathered, left = ChurnEvidence(shop.market), shop.at.left
    gathered.add(shop.histories, figures_of(left), np.full(len(left), LIMIT_DAYS), troubles)
    return gathered.reasons(shop.histories.customer_ids, statements)


def figures_of(left: Mask) -> Profiles:
    """The two figures that are looked at."""
    segment = np.where(left, SEGMENTS.index("standard_lost"), SEGMENTS.index("standard_active")).astype(np.int8)
    return cast(Profiles, SimpleNamespace(has_lapsed=lambda: left, segment=segment))


def test_every_reason_of_the_shop_is_found_with_its_share_of_those_who_left(shop: Leavers) -> None:
    found = reasons_of(shop)

    estimated = {one.reason: one for one in found.estimated}
    n_left = sum(SIZES.values()) - SIZES["stays"]
    assert {reason: one.customers for reason, one in estimated.items()} == {
        "price_rise": SIZES["price"],
        "favourite_gone": SIZES["gone"],
        "category_faded": SIZES["faded"],
        NOT_EXPLAINED: SIZES["plain"],
    }
    assert all(one.segment == "standard_lost" and one.share == 40 / n_left for one in estimated.values())
    for one in found.explained:
        assert 0 < one.low <= one.excess <= one.high
        assert one.excess == pytest.approx(one.lapsed_share - one.stayed_share)


def test_likely_reasons_go_to_the_customers_they_belong_to(shop: Leavers) -> None:
    found = reasons_of(shop)

    ids = list(reversed(shop.histories.customer_ids))
    table = with_reasons(pa.table({"customer_id": ids}), shop.histories.customer_ids, found.likely_reason)
    assert named_by_group(table) == TRUTH


def test_customers_may_be_read_in_any_order(shop: Leavers) -> None:
    gathered, ids = ChurnEvidence(shop.market), shop.histories.customer_ids

    for rows in np.array_split(np.random.default_rng(1).permutation(len(ids)), 3):
        gathered.add(take(shop.histories, rows), figures_of(shop.at.left[rows]), np.full(len(rows), LIMIT_DAYS))

    found = gathered.reasons(ids)
    assert found.likely_reason == reasons_of(shop).likely_reason


def test_training_writes_the_reasons_into_the_customer_table(tmp_path: Path) -> None:
    config = write_leavers(tmp_path, SMALL)

    with prepared(config, AS_OF) as found:
        staged = stage(found, config, tmp_path, silence(), targeted=False)

    assert named_by_group(pq.read_table(tmp_path / CUSTOMER_TABLE)) == TRUTH
    assert staged.churn_reasons.n_left == sum(SIZES.values()) - SIZES["stays"]


def test_without_complaints_in_the_data_nothing_is_said_of_them(shop: Leavers) -> None:
    rows = np.flatnonzero(shop.group("plain"))
    troubles = Troubles(rows, shop.at.day[rows].astype(np.int32))

    without, with_them = reasons_of(shop), reasons_of(shop, troubles=troubles)

    assert "complaint" not in [one.reason for one in without.explained]
    assert sum(one.customers for one in with_them.estimated if one.reason == "complaint") == len(rows)


def test_who_said_why_is_not_guessed_at(shop: Leavers) -> None:
    row = int(np.flatnonzero(shop.group("price"))[0])
    statements = Statements(np.array([row]), np.array([shop.market.as_of_day - 1], np.int32), (" Moved AWAY ",))

    found = reasons_of(shop, statements)

    assert [(one.segment, one.reason, one.customers) for one in found.stated] == [("standard_lost", "moved away", 1)]
    assert found.likely_reason[row] is None
    assert found.n_left == shop.at.left.sum() - 1


def test_the_json_is_plain_and_names_no_customer(shop: Leavers) -> None:
    found = reasons_of(shop).to_json()

    content = orjson.dumps(found)
    assert list(found)[:3] == ["stated", "estimated", "explained"]
    assert set(found["estimated"][0]) == {"segment", "reason", "customers", "share"}
    assert set(found["explained"][0]) == {"reason", "lapsed_share", "stayed_share", "excess", "low", "high"}
    assert found["note"].startswith("Not causal")
    assert b"price-0" not in content


def crowd(lapsed_rate: float, stayed_rate: float, n: int = 2_000) -> tuple[Mask, Mask, Counts]:
    """Whether the first reason applies, who left (the first half), and one band for all."""
    left = np.arange(2 * n) < n
    rate = np.where(left, lapsed_rate, stayed_rate)
    applies = np.zeros((2 * n, len(REASONS)), bool)
    applies[:, 0] = np.arange(2 * n) % n < rate * n
    return applies, left, np.zeros(2 * n, np.int64)


def test_a_reason_as_common_among_those_who_stayed_explains_nothing() -> None:
    applies, left, band = crowd(0.3, 0.3)

    (first, *_), n_compared = compare(applies, left, ~left, band, JUDGED)

    assert n_compared == left.sum()
    assert first.excess == pytest.approx(0.0)
    assert first.low < 0 < first.high


def test_the_interval_of_the_excess_is_that_of_two_shares() -> None:
    applies, left, band = crowd(0.3, 0.2)

    (first, *_), _ = compare(applies, left, ~left, band, JUDGED)

    error = np.sqrt((0.3 * 0.7 + 0.2 * 0.8) / 2_000)
    assert first.excess == pytest.approx(0.1)
    assert first.low == pytest.approx(0.1 - 1.96 * error, abs=0.003)
    assert first.high == pytest.approx(0.1 + 1.96 * error, abs=0.003)


def test_those_who_stayed_weigh_as_the_bands_of_those_who_left() -> None:
    left = np.array([True] * 30 + [True] * 10 + [False] * 10 + [False] * 90)
    band = np.array([0] * 30 + [1] * 10 + [0] * 10 + [1] * 90)
    applies = np.zeros((len(left), len(REASONS)), bool)
    applies[~left & (band == 0)] = True

    explained, _ = compare(applies, left, ~left, band, JUDGED)

    assert explained[0].stayed_share == pytest.approx(30 / 40)
    assert explained[-1].reason == ANY


def test_a_band_in_which_nobody_stayed_is_left_out() -> None:
    applies, left, band = crowd(0.3, 0.2)
    band = np.where(left & (np.arange(len(left)) % 2 == 0), 1, 0)

    _, n_compared = compare(applies, left, ~left, band, JUDGED)

    assert n_compared == left.sum() // 2


def test_with_hardly_anybody_to_compare_nothing_is_said() -> None:
    applies, left, band = crowd(0.5, 0.0, n=20)

    assert compare(applies, left, ~left, band, JUDGED) == ((), 20)


def test_only_the_ten_reasons_most_customers_name_keep_their_name() -> None:
    said = [(row, f"reason {min(row // 2, 11):02d}") for row in range(24)] + [(0, "reason 11"), (0, "reason 11")]

    counted = count_stated(said, ["a"] * 24)

    assert len(counted) == MOST_NAMED + 1
    assert {one.reason: one.customers for one in counted}[OTHER] == 4
    assert {one.reason: one.customers for one in counted}["reason 11"] == 3


def test_statements_count_before_the_day_with_case_and_spaces_gone() -> None:
    statements = Statements(np.arange(4), np.array([1, 1, 1, 9], np.int32), ("Too DEAR ", "too dear", "  ", "later"))

    assert statements.before(9) == [(0, "too dear"), (1, "too dear")]


def test_the_terminal_says_what_explains_nothing_and_that_it_is_not_causal(shop: Leavers) -> None:
    console = Console(width=140, record=True, file=StringIO())
    nothing = Explained("complaint", 0.1, 0.1, 0.0, -0.02, 0.02)
    found = reasons_of(shop, Statements(np.array([0]), np.array([1], np.int32), ("[b]too dear",)))

    print_reasons(console, replace(found, explained=(*found.explained, nothing)))
    text = console.export_text()

    assert "not causal" in text
    assert "nothing: +0.0% (-2.0% to +2.0%)" in text
    assert "[b]too dear" in text
    assert text.count("nothing:") == 1


def test_nothing_is_suggested_in_a_replay() -> None:
    nothing = no_churn_reasons(3)

    assert nothing.likely_reason == (None, None, None)
    assert nothing.to_json()["explained"] == []
