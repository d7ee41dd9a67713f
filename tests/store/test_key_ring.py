from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Event

import pytest

from recsvc.store.engine import StoreUnavailable, open_store
from recsvc.store.key_ring import MAX_AGE_SECONDS, MIN_AGE_SECONDS, KeyRefused, KeyRing
from recsvc.store.keys import ApiKey, KeyStore

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass
class Clock:
    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


class CountingStore(KeyStore):
    reads = 0
    is_down = False

    def list(self) -> tuple[ApiKey, ...]:
        if self.is_down:
            raise StoreUnavailable("down")
        self.reads += 1
        return super().list()


@dataclass
class Ring:
    store: CountingStore
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.ring = KeyRing(self.store, self.clock)
        self.identify = self.ring.identify


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[Ring]:
    made = Ring(CountingStore(open_store(f"sqlite:///{tmp_path / 'live.sqlite'}")))
    yield made
    made.store.engine.dispose()


def test_a_key_is_known_with_its_scopes_and_read_once(ring: Ring) -> None:
    plaintext, made = ring.store.create("storefront", ["read"], created_at=MONDAY)

    found = {ring.identify(plaintext) for _ in range(100)}

    assert found == {made}
    assert ring.store.reads == 1


def test_a_revoked_key_is_refused_within_five_seconds(ring: Ring) -> None:
    plaintext, made = ring.store.create("storefront", ["read"], created_at=MONDAY)
    ring.identify(plaintext)

    ring.store.revoke(made.key_id, revoked_at=MONDAY)
    ring.clock.seconds += MAX_AGE_SECONDS

    assert MAX_AGE_SECONDS < 5
    with pytest.raises(KeyRefused):
        ring.identify(plaintext)


def test_a_new_key_works_a_quarter_of_a_second_after_the_last_reading(ring: Ring) -> None:
    first, _ = ring.store.create("first", ["read"], created_at=MONDAY)
    ring.identify(first)

    second, made = ring.store.create("second", ["read"], created_at=MONDAY)
    ring.clock.seconds += MIN_AGE_SECONDS

    assert ring.identify(second) == made


def test_guessing_keys_does_not_load_the_database(ring: Ring) -> None:
    for guess in range(100):
        with pytest.raises(KeyRefused):
            ring.identify(f"rsk_{guess}_secret")

    assert ring.store.reads == 1


@pytest.mark.parametrize("presented", ["", "rsk", "rsk__", "rsk_a", "rsk_a_", "\ud800", "rsk_\ud800_b"])
def test_what_is_no_key_is_refused(ring: Ring, presented: str) -> None:
    with pytest.raises(KeyRefused):
        ring.identify(presented)


def test_the_id_of_a_key_with_another_secret_is_refused(ring: Ring) -> None:
    _, made = ring.store.create("storefront", ["read"], created_at=MONDAY)

    with pytest.raises(KeyRefused):
        ring.identify(f"rsk_{made.key_id}_{'A' * 43}")


def test_nobody_is_let_in_once_the_keys_cannot_be_read(ring: Ring) -> None:
    plaintext, made = ring.store.create("storefront", ["read"], created_at=MONDAY)
    ring.identify(plaintext)

    ring.store.is_down = True
    still = ring.identify(plaintext)
    ring.clock.seconds += MAX_AGE_SECONDS

    assert still == made
    with pytest.raises(StoreUnavailable):
        ring.identify(plaintext)


def test_one_failed_reading_answers_all_who_waited_for_it(tmp_path: Path) -> None:
    begun, may_fail = Event(), Event()

    class SlowlyFailing(CountingStore):
        def list(self) -> tuple[ApiKey, ...]:
            self.reads += 1
            begun.set()
            assert may_fail.wait(10)
            raise StoreUnavailable("down")

    ring = Ring(SlowlyFailing(open_store(f"sqlite:///{tmp_path / 'live.sqlite'}")))
    waiting = Barrier(9)

    def ask() -> bool:
        waiting.wait()
        try:
            ring.identify("rsk_a_secret")
        except StoreUnavailable:
            return True
        return False

    with ThreadPoolExecutor(8) as threads:
        refused = [threads.submit(ask) for _ in range(8)]
        waiting.wait()
        assert begun.wait(10)
        time.sleep(0.1)  # for the others to reach the lock
        may_fail.set()

    ring.store.engine.dispose()
    assert all(one.result() for one in refused)
    assert ring.store.reads == 1
