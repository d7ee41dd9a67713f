from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from recsvc.domain.keys import key_of_id
from recsvc.store.engine import open_store
from recsvc.store.events import EVENT_KINDS, Event, EventStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def event(number: int, customer_id: str = "anna", **more: object) -> Event:
    return Event(f"e{number}", customer_id, "purchase", NOW + timedelta(hours=number), "jam", **more)  # type: ignore[arg-type]


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    made = open_store(store_url)
    yield made
    made.dispose()


@pytest.fixture
def store(engine: sa.Engine) -> EventStore:
    return EventStore(engine)


def test_an_event_comes_back_as_it_was_sent(store: EventStore) -> None:
    sent = Event("e-1", "Zoë/🛒", "purchase", NOW, "jam", {"quantity": 2.5, "price": 1.05, "order_id": "007"})

    store.add([sent], received_at=NOW)

    assert store.of_customers(["Zoë/🛒"], EVENT_KINDS, since=BEGINNING) == [sent]


def test_the_same_id_counts_once_within_a_batch_and_between_batches(store: EventStore) -> None:
    first = store.add([event(1), event(2), event(1, "bert")], received_at=NOW)
    second = store.add([event(2, "bert"), event(3)], received_at=NOW)

    assert [(one.accepted, one.duplicate) for one in (first, second)] == [(2, 1), (1, 1)]
    assert [(one.event_id, one.customer_id) for one in store.all()] == [("e1", "anna"), ("e2", "anna"), ("e3", "anna")]


def test_a_batch_is_kept_in_its_order_however_large(store: EventStore) -> None:
    sent = [event(number) for number in range(2_500)]

    store.add(sent, received_at=NOW)

    assert list(store.all()) == sent


def test_a_customers_events_come_in_order_of_time_since_a_moment(store: EventStore) -> None:
    store.add([event(3), event(1), event(2), event(4, "bert")], received_at=NOW)

    found = store.of_customers(["anna"], EVENT_KINDS, since=event(2).occurred_at)

    assert [one.event_id for one in found] == ["e2", "e3"]
    assert store.of_customers(["anna"], ["view"], since=BEGINNING) == []


def test_what_is_new_since_a_number_is_told_once(store: EventStore) -> None:
    store.add([event(1), event(2, "bert")], received_at=NOW)
    seq, keys = store.customers_after(0, EVENT_KINDS, since=BEGINNING)
    store.add([event(3, "carl")], received_at=NOW)

    later_seq, later_keys = store.customers_after(seq, EVENT_KINDS, since=BEGINNING)

    assert keys == {key_of_id("anna"), key_of_id("bert")}
    assert later_keys == {key_of_id("carl")}
    assert store.customers_after(later_seq, EVENT_KINDS, since=BEGINNING) == (later_seq, frozenset())


def test_customers_of_older_events_are_not_told_but_the_number_moves_on(store: EventStore) -> None:
    store.add([event(1)], received_at=NOW)

    seq, keys = store.customers_after(0, EVENT_KINDS, since=NOW + timedelta(days=1))

    assert keys == frozenset()
    assert seq > 0


def _write(url: str, writer: int) -> None:
    engine = open_store(url)
    for number in range(40):
        own = Event(f"w{writer}-{number}", f"c{writer}", "view", NOW, "jam")
        shared = Event(f"shared-{number}", "everybody", "view", NOW, "jam")
        EventStore(engine).add([own, shared], received_at=NOW)
    engine.dispose()


def test_writers_from_many_processes_wait_for_each_other_and_lose_nothing(store_url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write, args=(store_url, writer)) for writer in range(4)]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    engine = open_store(store_url)
    ids = [one.event_id for one in EventStore(engine).all()]
    engine.dispose()
    assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
    assert len(ids) == len(set(ids)) == 4 * 40 + 40
