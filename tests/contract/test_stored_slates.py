"""Two speeds, one answer: what a bundle holds ready is what ranking says, to the last byte of the reply."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from flask.testing import FlaskClient

from recsvc.api.replies import unnamed_json
from recsvc.app import create_app
from recsvc.bundle.reader import RULES, SLATES
from recsvc.domain.business_rules import StandingRules
from recsvc.serving.live_source import LiveSource
from recsvc.serving.recommender import Recommender
from recsvc.serving.reload import LiveRecommender
from recsvc.serving.slate import Query, Slate
from recsvc.settings import Settings
from recsvc.store.availability import AvailabilityStore, Offer
from recsvc.store.engine import open_store
from recsvc.store.erasures import ErasureStore
from recsvc.store.events import Event, EventKind, EventStore
from recsvc.store.keys import KeyStore
from tests.trained import NOW, Trained, reopened, silence
from training.slates import write_slates

STRANGER = "nobody we know"


@dataclass
class Shop:
    """One bundle over one live store, asked at both speeds."""

    ready: Recommender
    ranking: Recommender
    events: EventStore
    offers: AvailabilityStore
    erasures: ErasureStore
    now: datetime

    def both(self, *customer_ids: str, **wishes: object) -> tuple[list[Slate], list[Slate]]:
        queries = [replace(Query(one), **wishes) for one in customer_ids]  # type: ignore[arg-type]
        first, second = (one.recommend_many(queries, now=self.now) for one in (self.ready, self.ranking))
        assert not any(slate.stored for slate in second)
        return first, second

    def happens(self, customer_id: str, kind: EventKind, item_id: str) -> None:
        details = {"quantity": 1.0, "price": 4.5} if kind == "purchase" else {}
        event = Event(f"{customer_id} {kind}", customer_id, kind, self.now, item_id, details)
        self.events.add([event], received_at=self.now)

    def says(self, item_id: str, *, available: bool, price: int | None = None) -> None:
        self.offers.put([Offer(item_id, available, price)], changed_at=self.now)


@pytest.fixture
def shop(recommender: Recommender, store_url: str) -> Iterator[Shop]:
    engine = open_store(store_url)
    source, bundle = LiveSource(engine), recommender.bundle
    yield Shop(
        ready=Recommender(bundle, source.of_bundle(bundle)),
        ranking=Recommender(replace(bundle, slates=None), source.of_bundle(bundle)),
        events=EventStore(engine),
        offers=AvailabilityStore(engine),
        erasures=ErasureStore(engine),
        now=recommender.as_of + timedelta(days=9, hours=8),
    )
    source.close()
    engine.dispose()


def stored(slates: list[Slate]) -> list[bool]:
    return [slate.stored for slate in slates]


@pytest.mark.parametrize("days", [0, 1, 40, 400, 4_000])
def test_both_speeds_give_everybody_the_same_answer_on_any_day(shop: Shop, everybody: list[str], days: int) -> None:
    shop.now = shop.ready.as_of + timedelta(days=days)

    fast, slow = shop.both(*everybody, STRANGER, "")

    assert stored(fast) == [True] * (len(everybody) + 2)
    assert fast == slow
    for first, second in zip(fast, slow, strict=True):
        assert orjson.dumps(unnamed_json(first, shop.ready)) == orjson.dumps(unnamed_json(second, shop.ranking))


@pytest.mark.parametrize(
    "wishes",
    [
        {"k": 9},
        {"k": 11},
        {"explain": True},
        {"explore_slots": 5},
        {"exclude_purchased": True},
        {"where": "price > 2"},
        {"rules": ("bury 2 where price > 3",)},
        {"category_cap": 2},
        {"shown": ("I0000001",)},
        {"context_items": ("I0000001",)},
    ],
)
def test_any_wish_is_ranked(shop: Shop, everybody: list[str], wishes: dict[str, object]) -> None:
    fast, slow = shop.both(*everybody[:20], **wishes)

    assert not any(stored(fast))
    assert fast == slow


@pytest.mark.parametrize("kind", ["purchase", "view", "cart"])
def test_who_did_something_is_ranked_and_only_they(shop: Shop, everybody: list[str], kind: EventKind) -> None:
    shop.both(*everybody[:5])
    shop.happens(everybody[1], kind, "I0000001")

    fast, slow = shop.both(*everybody[:5], STRANGER)

    assert stored(fast) == [True, False, True, True, True, True]
    assert fast == slow


def test_a_stranger_who_bought_something_is_none_any_more(shop: Shop) -> None:
    shop.happens(STRANGER, "purchase", "I0000001")

    fast, slow = shop.both(STRANGER)

    assert (stored(fast), fast[0].strategy) == ([False], "personal")
    assert fast == slow


def test_what_is_sold_out_leaves_stored_slates_too(shop: Shop, everybody: list[str]) -> None:
    before, _ = shop.both(*everybody[:40])
    ((gone, _),) = Counter(one.item_id for slate in before for one in slate.items).most_common()[-1:]
    shop.says(gone, available=False)

    fast, slow = shop.both(*everybody[:40])

    had_it = [gone in [one.item_id for one in slate.items] for slate in before]
    assert stored(fast) == [not had for had in had_it]
    assert any(had_it)
    assert {slate.filters_applied for slate in fast} == {("availability",)}
    assert fast == slow


def test_a_price_of_now_is_shown_at_both_speeds(shop: Shop, everybody: list[str]) -> None:
    item_id = shop.both(everybody[0])[0][0].items[0].item_id
    shop.says(item_id, available=True, price=4_321)

    fast, slow = shop.both(everybody[0])

    assert stored(fast) == [True]
    assert unnamed_json(fast[0], shop.ready) == unnamed_json(slow[0], shop.ranking)
    assert shop.ready.item(item_id).price == 43.21


def test_who_was_erased_is_a_stranger_to_both(shop: Shop, everybody: list[str]) -> None:
    shop.erasures.erase(everybody[0], at=shop.now)

    fast, slow = shop.both(everybody[0], everybody[1])

    assert stored(fast) == [True, True]
    assert [slate.strategy for slate in fast] == ["popular", "personal"]
    assert fast == slow


def test_what_came_back_on_sale_may_belong_on_any_list(shop: Shop, everybody: list[str]) -> None:
    bundle = shop.ready.bundle
    gone = bundle.items.ids.id(0)
    on_sale = pa.array([row > 0 for row in range(len(bundle.catalogue))])
    changed = replace(bundle, catalogue=bundle.catalogue.append_column("available", on_sale))
    shop.ready, shop.ranking = (
        Recommender(replace(changed, slates=slates), shop.ready.live) for slates in (bundle.slates, None)
    )

    assert stored(shop.both(everybody[0])[0]) == [True]
    shop.says(gone, available=True)
    fast, slow = shop.both(everybody[0], STRANGER)

    assert stored(fast) == [False, False]
    assert fast == slow


def test_slates_are_stored_under_the_rules_of_the_shop_with_what_these_changed(
    trained: Trained, recommender: Recommender, everybody: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "ruled"
    shutil.copytree(trained.artifacts / trained.bundle_id, folder)
    (folder / SLATES).unlink()
    ruled = StandingRules(('block where category = "Kitchen"', "pin 2 where price < 3"), category_cap=3)
    (folder / RULES).write_bytes(orjson.dumps(ruled.to_json()))
    ranking = Recommender(reopened(trained, folder, SLATES))
    write_slates(ranking, silence())

    ready = Recommender(reopened(trained, folder))

    queries = [Query(one) for one in [*everybody, STRANGER]]
    fast, slow = (one.recommend_many(queries, now=NOW) for one in (ready, ranking))
    assert all(stored(fast))
    assert not any(stored(slow))
    assert fast == slow
    assert len({slate.filters_applied for slate in fast}) > 1
    assert fast != recommender.recommend_many(queries, now=NOW)


@pytest.fixture(scope="module")
def client(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    folder: Path = tmp_path_factory.mktemp("store")
    chosen = Settings(artifacts=trained.artifacts, store_url=f"sqlite:///{folder / 'live.sqlite'}", keys_required=False)
    keys = KeyStore(open_store(chosen.live_store_url))
    yield create_app(chosen, LiveRecommender(trained.artifacts), keys, clock=lambda: NOW).test_client()
    keys.engine.dispose()


def test_an_answer_that_the_caller_holds_is_not_sent_again(client: FlaskClient, everybody: list[str]) -> None:
    path = f"/v1/customers/{everybody[0]}/recommendations"
    first, second = client.get(path), client.get(path)
    tag = first.headers["ETag"]

    held = client.get(path, headers={"If-None-Match": f'W/"other", {tag}'})
    other = client.get(f"{path}?k=3", headers={"If-None-Match": tag})

    assert (held.status_code, held.data, held.headers["ETag"]) == (304, b"", tag)
    assert held.headers["Cache-Control"] == "private, no-cache"
    assert (second.headers["ETag"], other.status_code) == (tag, 200)
    assert first.json["recommendation_id"] != second.json["recommendation_id"]
    assert {**first.json, "recommendation_id": 0} == {**second.json, "recommendation_id": 0}
