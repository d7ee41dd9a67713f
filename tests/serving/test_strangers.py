"""Erased customers, and those without personalisation, are strangers to every question."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from recsvc.cli.batch import customers_in
from recsvc.errors import UnknownCustomer
from recsvc.serving.customer_file import customer_tables
from recsvc.serving.live_source import LiveSource
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query
from recsvc.store.engine import open_store
from recsvc.store.erasures import ErasureStore


@dataclass
class Shop:
    """Two workers over one store; the second customer of the list wants no personalisation."""

    workers: list[Recommender]
    erasures: ErasureStore
    now: datetime


@pytest.fixture
def shop(recommender: Recommender, everybody: list[str], store_url: str) -> Iterator[Shop]:
    bundle = dataclasses.replace(recommender.bundle)
    wishes = {"customer_id": [everybody[1]], "personalisation": [False]}
    bundle.__dict__["attributes"] = pa.table(wishes)
    engines = [open_store(store_url) for _ in range(2)]
    sources = [LiveSource(engine) for engine in engines]
    workers = [Recommender(bundle, source.of_bundle(bundle)) for source in sources]
    yield Shop(workers, ErasureStore(engines[0]), recommender.as_of + timedelta(days=3))
    for source, engine in zip(sources, engines, strict=True):
        source.close()
        engine.dispose()


def assert_stranger(worker: Recommender, customer_id: str, now: datetime) -> None:
    slate, nobody = (worker.recommend(Query(one), now=now) for one in (customer_id, "nobody we know"))
    assert (slate.strategy, slate.customer) == ("popular", None)
    assert slate.items == nobody.items
    with pytest.raises(UnknownCustomer):
        worker.customer(customer_id, now=now)
    listed = worker.win_back(after_rank=0, limit=500, states=frozenset(), now=now)
    assert customer_id not in [row.customer_id for row in listed]
    assert customer_id not in customers_in(worker, ())
    tables = pa.concat_tables(customer_tables(worker.bundle, worker.live))
    assert customer_id not in tables["customer_id"].to_pylist()


@pytest.mark.parametrize("which", [0, 1])
def test_who_was_erased_is_a_stranger_to_every_worker_in_the_next_question(
    shop: Shop, everybody: list[str], which: int
) -> None:
    worker = shop.workers[which]
    before = worker.recommend(Query(everybody[0]), now=shop.now)

    shop.erasures.erase(everybody[0], at=shop.now)

    assert before.strategy == "personal"
    assert_stranger(worker, everybody[0], shop.now)
    assert worker.recommend(Query(everybody[2]), now=shop.now).strategy == "personal"


def test_who_wants_no_personalisation_is_a_stranger(shop: Shop, everybody: list[str]) -> None:
    assert_stranger(shop.workers[0], everybody[1], shop.now)


def test_pages_of_a_list_stay_full_and_keep_their_ranks(shop: Shop, everybody: list[str]) -> None:
    for customer_id in everybody[3:6]:
        shop.erasures.erase(customer_id, at=shop.now)

    rows = shop.workers[1].win_back(after_rank=0, limit=4, states=frozenset(), now=shop.now)

    assert [row.customer_id for row in rows] == [everybody[0], everybody[2], everybody[6], everybody[7]]
    assert [row.customer.win_back_rank for row in rows] == [1, 3, 7, 8]
