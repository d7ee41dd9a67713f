from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from recsvc.serving.recommender import Recommender
from tests.trained import Trained
from training.churn_evidence import REASONS

FAVOURITES = {f"favourite_category_{place}" for place in (1, 2, 3)}
DATES = {"state_since", "next_state_on", "next_order_earliest", "next_order_on", "next_order_latest"}
MAY_BE_NULL = {
    "win_back_rank",
    "early_warning_rank",
    "price_level",
    "price_position",
    "likely_reason",
    "best_hour",
    "best_channel",
}
COLUMNS = {
    *FAVOURITES,
    *DATES,
    "customer_id",
    "state",
    "layer",
    "spend_per_year",
    "churn_probability",
    "value_at_stake",
    "price_level",
    "price_position",
    "early_warning_rank",
    "high_value",
    "segment",
    "spend",
    "orders",
    "days_since_last_purchase",
    "probability_alive",
    "probability_of_return",
    "expected_purchases",
    "expected_average_value",
    "clv",
    "expected_value_of_contact",
    "win_back_rank",
    "likely_reason",
    "best_hour",
    "best_channel",
}


@pytest.fixture(scope="module")
def rows(recommender: Recommender) -> list[dict[str, object]]:
    table: list[dict[str, object]] = recommender.bundle.customer_table.to_pylist()
    return table


def test_every_customer_has_one_row_with_every_figure(rows: list[dict[str, object]], trained: Trained) -> None:
    assert {*rows[0]} == COLUMNS
    assert len({row["customer_id"] for row in rows}) == len(rows) == trained.outcome.manifest.shapes.customers


def test_the_win_back_list_comes_first_most_worth_first_and_ranks_are_its_places(
    rows: list[dict[str, object]],
) -> None:
    listed = [row for row in rows if row["state"] in {"lapsed", "lost"}]

    assert rows[: len(listed)] == listed
    assert [row["win_back_rank"] for row in rows] == [*range(1, len(listed) + 1), *[None] * (len(rows) - len(listed))]
    keys = [(-float(str(row["expected_value_of_contact"])), row["customer_id"]) for row in listed]
    assert keys == sorted(keys)


def test_who_lapsed_is_on_the_list(rows: list[dict[str, object]], trained: Trained) -> None:
    for row in rows:
        stays_away = float(str(row["churn_probability"])) >= trained.config.lapse.win_back_churn

        assert (row["win_back_rank"] is not None) == (row["state"] in {"lapsed", "lost"} and stays_away)


def test_the_early_warning_list_comes_next_most_at_stake_first(rows: list[dict[str, object]]) -> None:
    listed = [row for row in rows if row["early_warning_rank"] is not None]

    first = sum(row["win_back_rank"] is not None for row in rows)
    assert rows[first : first + len(listed)] == listed
    assert [row["early_warning_rank"] for row in listed] == list(range(1, len(listed) + 1))
    assert {row["layer"] for row in listed} == {"high_slipping"}
    keys = [(-float(str(row["value_at_stake"])), row["customer_id"]) for row in listed]
    assert keys == sorted(keys)


def test_everybody_else_stands_in_order_of_id(rows: list[dict[str, object]]) -> None:
    others = [row["customer_id"] for row in rows if row["win_back_rank"] is row["early_warning_rank"] is None]

    assert others == sorted(others, key=str)
    assert others


def test_the_ranks_of_the_table_are_those_the_service_looks_up(
    rows: list[dict[str, object]], recommender: Recommender
) -> None:
    customers = recommender.bundle.customers
    for row in rows:
        customer_id = str(row["customer_id"])

        assert customers.win_back_rank(customer_id) == row["win_back_rank"]
        assert customers.early_warning_rank(customer_id) == row["early_warning_rank"]


def test_the_figures_are_those_the_service_tells_at_as_of(
    rows: list[dict[str, object]], recommender: Recommender
) -> None:
    for row in rows[::20]:
        state = recommender.customer(str(row["customer_id"]), now=recommender.as_of)

        for name in COLUMNS - DATES - FAVOURITES - {"customer_id", "spend", "likely_reason"}:
            assert getattr(state, name) == row[name]
        for name in DATES:
            moment = getattr(state, name)
            assert (moment and moment.date()) == row[name]
        assert state.favourite_categories == tuple(row[name] for name in sorted(FAVOURITES) if row[name])
        assert state.spend / 100 == row["spend"]


def test_no_figure_is_missing_or_infinite(recommender: Recommender) -> None:
    table = recommender.bundle.customer_table

    for name in COLUMNS - DATES - FAVOURITES - MAY_BE_NULL:
        assert table[name].null_count == 0
    for column in table.columns:
        if pa.types.is_floating(column.type):
            assert pc.all(pc.is_finite(column.drop_null())).as_py()


def test_a_date_that_is_known_is_not_before_the_end_of_observation(rows: list[dict[str, object]]) -> None:
    expected = [[row[name] for name in ("next_order_earliest", "next_order_on", "next_order_latest")] for row in rows]

    known = [dates for dates in expected if None not in dates]
    assert len(known) > len(rows) / 4
    assert all(dates == sorted(dates) and dates[0] >= date(2026, 1, 1) for dates in known)
    assert all(dates == [None] * 3 for dates, row in zip(expected, rows, strict=True) if row["state"] == "lost")


def test_only_the_lost_have_no_next_state(recommender: Recommender) -> None:
    table = recommender.bundle.customer_table

    lost = pc.equal(table["state"], "lost")
    assert pc.is_null(table["next_state_on"]).equals(lost)


def test_only_customers_who_left_have_a_likely_reason(rows: list[dict[str, object]]) -> None:
    named = {row["state"] for row in rows if row["likely_reason"] is not None}

    assert named <= {"lapsed", "lost"}
    assert {row["likely_reason"] for row in rows} <= {None, *REASONS}
