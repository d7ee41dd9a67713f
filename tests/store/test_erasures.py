from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from recsvc.store.campaigns import CampaignStore, Launch, Member
from recsvc.store.coupons import CouponStore
from recsvc.store.engine import open_store
from recsvc.store.erasures import ErasureStore
from recsvc.store.events import EVENT_KINDS, Event, EventStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    engine = open_store(store_url)
    yield engine
    engine.dispose()


def event(event_id: str, customer_id: str, at: datetime = NOW) -> Event:
    return Event(event_id, customer_id, "view", at, "tea")


def test_whoever_is_erased_leaves_nothing_and_nothing_more_is_kept_of_them(engine: sa.Engine) -> None:
    events, coupons, store = EventStore(engine), CouponStore(engine), ErasureStore(engine)
    events.add([event("1", "7"), event("2", "8")], received_at=NOW)
    campaigns = CampaignStore(engine)
    campaigns.begin(Launch("one", "b", {}, NOW, NOW, NOW))
    coupons.generate("spring", 3)
    coupons.draw("spring", "one", ["7", "8"], at=NOW)
    campaigns.add("one", [Member("7", "held_out", "high_lost", "ten"), Member("8", "held_out", "high_lost", "ten")])

    counts = store.erase("7", at=NOW)
    again = store.erase("7", at=NOW)
    added = events.add([event("3", "7"), event("4", "8"), event("1", "7")], received_at=NOW)

    assert counts == {"events": 1, "campaigns": 1, "coupons": 1}
    assert again == {"events": 0, "campaigns": 0, "coupons": 0}
    assert ([one.event_id for one in added.new], added.duplicate, added.erased) == (["4"], 0, {"7"})
    assert [one.customer_id for one in events.all()] == ["8", "8"]
    assert [one.customer_id for part in campaigns.members("one") for one in part] == ["8"]
    assert coupons.left("spring") == 1  # the code is not given to anybody else


def test_tombstones_name_nobody_and_tell_who_was_erased(engine: sa.Engine, store_url: str) -> None:
    store = ErasureStore(engine)
    assert store.tombstones().among(["7", "8"]) == frozenset()

    store.erase("7", at=NOW)
    found = store.tombstones()

    assert found.among(["7", "8"]) == {"7"}
    with engine.connect() as connection:
        tables = ("events", "erasures", "privacy_log", "secrets", "campaign_members", "coupons")
        rows = [row for table in tables for row in connection.execute(sa.text(f"SELECT * FROM {table}"))]
    assert b"7" not in b"".join(
        bytes(value) for row in rows for value in row if isinstance(value, bytes) and value == b"7"
    )
    assert all(value != "7" for row in rows for value in row)


def test_the_log_says_what_was_done_in_order(engine: sa.Engine) -> None:
    store = ErasureStore(engine)

    first = store.note("export", {"events": 2}, at=NOW)
    second = store.note("erase", {"events": 1}, at=NOW + timedelta(minutes=1))

    assert store.log() == [first, second]


def test_old_events_expire_but_unsubscriptions_hold_for_ever(engine: sa.Engine) -> None:
    events = EventStore(engine)
    long_ago = NOW - timedelta(days=800)
    gone = Event("0", "7", "unsubscribe", long_ago, details={"channel": "all"})
    events.add([gone, event("1", "7", long_ago), event("2", "7")], received_at=NOW)

    expired = ErasureStore(engine).expire(NOW - timedelta(days=730))

    assert expired == 1
    assert [one.event_id for one in events.of_customers(["7"], EVENT_KINDS, since=NOW - timedelta(days=900))] == [
        "0",
        "2",
    ]
