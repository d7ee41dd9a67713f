from __future__ import annotations

import pyarrow.compute as pc
import pytest

from recsvc.serving.recommender import Recommender
from tests.trained import Trained

COLUMNS = {
    "customer_id",
    "state",
    "state_since",
    "next_state_on",
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


def test_everybody_else_stands_in_order_of_id(rows: list[dict[str, object]]) -> None:
    others = [row["customer_id"] for row in rows if row["win_back_rank"] is None]

    assert others == sorted(others, key=str)
    assert others


def test_the_ranks_of_the_table_are_those_the_service_looks_up(
    rows: list[dict[str, object]], recommender: Recommender
) -> None:
    found = [recommender.bundle.customers.win_back_rank(str(row["customer_id"])) for row in rows]

    assert found == [row["win_back_rank"] for row in rows]


def test_the_figures_are_those_the_service_tells_at_as_of(
    rows: list[dict[str, object]], recommender: Recommender
) -> None:
    for row in rows[::20]:
        state = recommender.customer(str(row["customer_id"]), now=recommender.as_of)

        for name in COLUMNS - {"customer_id", "state_since", "next_state_on", "spend", "best_hour", "best_channel"}:
            assert getattr(state, name) == row[name]
        assert state.state_since.date() == row["state_since"]
        assert (state.next_state_on.date() if state.next_state_on else None) == row["next_state_on"]
        assert state.spend / 100 == row["spend"]


def test_only_the_lost_have_no_next_state(recommender: Recommender) -> None:
    table = recommender.bundle.customer_table

    lost = pc.equal(table["state"], "lost")
    assert pc.is_null(table["next_state_on"]).equals(lost)
