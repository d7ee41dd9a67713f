"""The win-back list: one order and one set of figures in the file, over the reader, and live."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsvc.bundle.reader import CUSTOMER_TABLE, REPORT, RETURN_MODEL, VALUE, read_shelf
from recsvc.domain.preferences import preferences
from recsvc.domain.profiles import expected_orders, profiles
from recsvc.domain.return_model import BTYD, ORDERINGS, Targeting
from recsvc.serving.customer_file import customer_tables
from recsvc.serving.customer_state import state_at
from recsvc.serving.live_data import NoLiveData
from recsvc.serving.recommender import Recommender
from tests.trained import Trained, reopened
from training.customer_table import CustomerTable

BEFORE_LAYERS = [
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
]
FIGURES = (
    "layer",
    "churn_probability",
    "value_at_stake",
    "probability_alive",
    "probability_of_return",
    "expected_value_of_contact",
    "expected_purchases",
    "clv",
)


def test_the_choice_is_in_the_bundle_with_its_reason_and_in_the_report(trained: Trained) -> None:
    folder = trained.artifacts / trained.bundle_id

    choice = Targeting.from_json(orjson.loads((folder / RETURN_MODEL).read_bytes()))

    report = orjson.loads((folder / REPORT).read_bytes())
    assert choice.reason
    assert report["win_back_order"]["ordering"] == choice.ordering
    assert "not causal" in report["back_test"]["targeting"]["caveat"]
    assert {row["ordering"] for row in report["back_test"]["targeting"]["rows"]} >= {"past_spend", "shipped"}


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_the_file_and_a_live_profile_say_the_same_of_everybody(
    trained: Trained, recommender: Recommender, ordering: str
) -> None:
    """Whatever is shipped: nobody ordered on the last day, so the live clock may stand at the bundle's."""
    returns = None if ordering == BTYD else recommender.bundle.models.targeting.returns
    models = replace(recommender.bundle.models, targeting=Targeting(ordering, returns, ""))
    everybody = [row["customer_id"] for row in recommender.bundle.customer_table.to_pylist()]
    histories, _ = recommender.bundle.customers.get_many(everybody)
    day = recommender.bundle.items.as_of_day

    shelf = read_shelf(recommender.bundle.catalogue)
    table, figures = CustomerTable(ordering, shelf.names), profiles(histories, models, day)
    expected, liked = expected_orders(histories, figures, models, day), preferences(histories, shelf)
    table.add(histories.customer_ids, figures, expected, liked)

    for row in table.to_arrow(models.standing).to_pylist()[:150]:
        live = state_at(profiles(recommender.bundle.customers.get(row["customer_id"]), models, day), 0)
        assert [getattr(live, name) for name in FIGURES] == [row[name] for name in FIGURES]


def test_the_stored_ranks_are_those_of_the_file(recommender: Recommender) -> None:
    for row in recommender.bundle.customer_table.to_pylist():
        assert recommender.bundle.customers.win_back_rank(row["customer_id"]) == row["win_back_rank"]
        assert recommender.bundle.customers.early_warning_rank(row["customer_id"]) == row["early_warning_rank"]


def test_a_bundle_from_before_there_were_layers_serves_profiles_and_the_list_it_was_made_with(
    trained: Trained, recommender: Recommender, tmp_path: Path
) -> None:
    folder = tmp_path / "before"
    shutil.copytree(trained.artifacts / trained.bundle_id, folder)
    value = orjson.loads((folder / VALUE).read_bytes())
    (folder / VALUE).write_bytes(
        orjson.dumps({name: value[name] for name in value if name not in ("layers", "standing")})
    )
    table = recommender.bundle.customer_table
    pq.write_table(table.select(BEFORE_LAYERS), folder / CUSTOMER_TABLE)

    bundle = reopened(trained, folder)
    older = Recommender(bundle)

    page = {"after_rank": 0, "limit": 5, "states": frozenset[str](), "now": recommender.as_of}
    rows = older.win_back(**page)  # type: ignore[arg-type]
    assert [row.customer_id for row in rows] == table["customer_id"].slice(0, 5).to_pylist()
    assert all(len(row.customer.why) == 3 and row.customer.layer for row in rows)
    assert older.early_warning(**page) == ()  # type: ignore[arg-type]
    written = pa.concat_tables(customer_tables(bundle, NoLiveData()))
    assert {*written.column_names} == {*BEFORE_LAYERS, "why_1", "why_2", "why_3"}


def test_a_bundle_from_before_there_was_a_choice_is_ordered_by_btyd(trained: Trained, tmp_path: Path) -> None:
    folder = tmp_path / "before"
    shutil.copytree(trained.artifacts / trained.bundle_id, folder, ignore=shutil.ignore_patterns(RETURN_MODEL))

    opened = reopened(trained, folder, RETURN_MODEL)

    assert (opened.models.targeting.ordering, opened.models.targeting.returns) == ("btyd", None)
