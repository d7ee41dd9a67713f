"""No skew: the back-test's ranking, the command's file and the HTTP reply are one answer, item for item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.app import create_app
from recsvc.cli.main import cli
from recsvc.serving.recommender import Recommender
from recsvc.serving.reload import LiveRecommender
from recsvc.serving.rules import Rules
from recsvc.serving.slate import Query, Slate
from recsvc.settings import Settings
from recsvc.store.engine import open_store
from recsvc.store.keys import KeyStore
from tests.trained import NOW, Trained

STRANGER = "nobody/we know 🛒"


@pytest.fixture(scope="module")
def client(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'live.sqlite'}"
    keys = KeyStore(open_store(url))
    chosen = Settings(artifacts=trained.artifacts, store_url=url, keys_required=False)
    yield create_app(chosen, LiveRecommender(trained.artifacts), keys, clock=lambda: NOW).test_client()
    keys.engine.dispose()


def essence(slate: Slate) -> list[tuple[object, ...]]:
    return [
        (one.item_id, one.rank, one.score, [(r.code, dict(r.evidence)) for r in one.reasons]) for one in slate.items
    ]


def essence_json(slate: dict) -> list[tuple[object, ...]]:  # type: ignore[type-arg]  # JSON
    return [
        (one["item_id"], one["rank"], one["score"], [(r["code"], r["evidence"]) for r in one["reasons"]])
        for one in slate["items"]
    ]


def test_the_http_reply_is_the_offline_answer_for_every_customer(
    client: FlaskClient, recommender: Recommender, everybody: list[str]
) -> None:
    ids = [*everybody, STRANGER]
    offline = recommender.recommend_many([Query(one) for one in ids], now=NOW)

    online = []
    for start in range(0, len(ids), 256):
        online += client.post("/v1/recommendations", json={"customer_ids": ids[start : start + 256]}).json["slates"]

    assert [slate["customer_id"] for slate in online] == ids
    assert [essence_json(slate) for slate in online] == [essence(slate) for slate in offline]
    assert {slate["bundle_id"] for slate in online} == {recommender.bundle_id}


def test_rules_of_a_request_mean_the_same_over_http(
    client: FlaskClient, recommender: Recommender, everybody: list[str]
) -> None:
    customer = everybody[0]
    first, second = [one.item_id for one in recommender.recommend(Query(customer), now=NOW).items[:2]]
    category = recommender.item(first).category
    assert category is not None
    rules = ("boost 3 where price > 3", f'pin 2 where category = "{category}"')
    query = Query(
        customer,
        5,
        frozenset({first, second}),
        True,
        (category,),
        1,
        where="price > 2",
        rules=rules,
        category_cap=4,
        shown=(first,),
        shown_since=NOW.date(),
    )

    asked = {"k": 5, "exclude": [first, second], "exclude_purchased": True, "category": [category], "explore_slots": 1}
    asked |= {"where": "price > 2", "rule": rules, "category_cap": 4, "shown": [first], "shown_since": NOW.date()}
    reply = client.get(f"/v1/customers/{customer}/recommendations", query_string=asked).json

    offline = recommender.recommend(query, now=NOW)
    assert essence_json(reply) == essence(offline)
    assert tuple(reply["filters_applied"]) == offline.filters_applied
    assert reply["customer"]["state"] == offline.customer.state


def test_a_filter_that_cannot_be_read_is_the_callers_mistake_over_http(client: FlaskClient) -> None:
    reply = client.get("/v1/recommendations?customer_id=nobody&where=colour = 1")

    assert (reply.status_code, reply.json["code"]) == (422, "invalid_filter")
    assert reply.json["detail"].startswith("filter, character 1: expected a column, found 'colour = 1'; columns: brand")


def test_the_batch_file_holds_the_live_answer_of_every_customer(
    trained: Trained, recommender: Recommender, everybody: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "slates.parquet"

    arguments = ["batch", "--all", "--k", "7", "--out", str(out), "--artifacts", str(trained.artifacts)]
    CliRunner().invoke(cli, arguments, catch_exceptions=False)

    rows = pq.read_table(out, columns=["customer_id", "rank", "item_id", "score"]).to_pylist()
    live = [recommender.recommend(Query(one, k=7), now=NOW) for one in everybody]
    expected = [(s.query.customer_id, i.rank, i.item_id, i.score) for s in live for i in s.items]
    assert [tuple(row.values()) for row in rows] == expected


def test_the_back_test_ranks_as_the_service_does(recommender: Recommender, everybody: list[str]) -> None:
    histories, _ = recommender.bundle.customers.get_many(everybody)

    ranked = recommender.rank(histories, Rules())

    served = recommender.recommend_many([Query(one) for one in everybody], now=NOW)
    ids = recommender.bundle.items.ids
    assert [[ids.id(row) for row in rows] for rows in ranked] == [[i.item_id for i in s.items] for s in served]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_question_among_many_is_answered_as_if_it_were_alone(
    data: st.DataObject, recommender: Recommender, everybody: list[str]
) -> None:
    item_ids = [recommender.bundle.items.ids.id(row) for row in range(recommender.bundle.items.n_catalogue)]
    category = st.sampled_from(recommender.bundle.catalogue["category"].unique().to_pylist())
    question = st.builds(
        Query,
        customer_id=st.sampled_from([*everybody, STRANGER]),
        k=st.integers(1, 120),
        exclude=st.frozensets(st.sampled_from(item_ids), max_size=len(item_ids)),
        exclude_purchased=st.booleans(),
        categories=st.one_of(st.just(()), st.tuples(category)),
        explore_slots=st.none() | st.integers(0, 120),
    )
    rules = data.draw(st.lists(question, min_size=1, max_size=4))
    whom = data.draw(st.lists(st.sampled_from([*everybody, STRANGER]), min_size=1, max_size=6))
    asked = [replace(rules[n % len(rules)], customer_id=customer) for n, customer in enumerate(whom)]

    together = recommender.recommend_many(asked, now=NOW)

    assert together == [recommender.recommend(one, now=NOW) for one in asked]


def test_one_candidate_scores_the_same_alone_and_in_company(recommender: Recommender, everybody: list[str]) -> None:
    """A batch of one pair is where a sum over the last axis could be added in another order."""
    ids = recommender.bundle.items.ids
    n_catalogue = recommender.bundle.items.n_catalogue
    for row in range(0, n_catalogue, 9):
        others = frozenset(ids.id(other) for other in range(n_catalogue) if other != row)
        asked = [Query(customer, exclude=others) for customer in everybody[:40]]

        together = recommender.recommend_many(asked, now=NOW)

        alone = [recommender.recommend(one, now=NOW) for one in asked]
        assert [essence(s) for s in together] == [essence(s) for s in alone]
        np.testing.assert_array_equal([len(s.items) for s in alone], 1)
