"""Hot swap: the new bundle is taken up, a broken one is not, and nobody asks twice in vain."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from recsvc.bundle import reader
from recsvc.bundle.store import CURRENT, BundleStore
from recsvc.errors import NotReady
from recsvc.serving.reload import LiveRecommender
from recsvc.serving.slate import Query
from tests.serving.conftest import Publish
from tests.trained import NOW, Trained


@pytest.fixture
def live(empty_store: BundleStore) -> Iterator[LiveRecommender]:
    made = LiveRecommender(empty_store.root)
    yield made
    made.stop()


def until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def test_before_the_first_bundle_it_is_not_ready_and_says_what_to_do(live: LiveRecommender) -> None:
    with pytest.raises(NotReady, match="recsvc-train fit"):
        live.current()
    assert (live.status().bundle_id, live.status().problem) == (None, None)


def test_a_new_bundle_is_served_and_the_old_reference_still_answers(live: LiveRecommender, publish: Publish) -> None:
    first = publish("first")
    live.refresh()
    held = live.current()

    second = publish("second")
    live.refresh()

    assert (held.bundle_id, live.current().bundle_id) == (first, second)
    assert live.status().bundle_id == second
    assert held.recommend(Query("x"), now=NOW).items == live.current().recommend(Query("x"), now=NOW).items


def test_the_same_bundle_is_not_opened_again(live: LiveRecommender, publish: Publish) -> None:
    publish("first")
    live.refresh()
    before = live.current()

    live.refresh()

    assert live.current() is before


def test_the_watch_takes_up_a_bundle_within_a_second(live: LiveRecommender, publish: Publish) -> None:
    live.start()

    first = publish("first")
    assert until(lambda: live.status().bundle_id == first)
    second = publish("second")
    assert until(lambda: live.status().bundle_id == second)


def without_a_ranker(staged: Path) -> None:
    (staged / reader.RANKER).write_text('{"features": ["another"], "mean": [0], "scale": [1], "weight": [1]}')


def with_other_factors(staged: Path) -> None:
    np.save(staged / reader.FACTORS, np.ones((3, 2), np.float32))


def with_a_broken_index(staged: Path) -> None:
    (staged / reader.INDEX).write_bytes(b"no index")


def with_a_broken_database(staged: Path) -> None:
    (staged / reader.CUSTOMERS).write_bytes(b"no database")


def with_a_broken_table(staged: Path) -> None:
    (staged / reader.ITEMS).write_bytes(b"PAR1 no table PAR1")


def without_value(staged: Path) -> None:
    (staged / reader.VALUE).unlink()


def with_a_value_that_is_no_object(staged: Path) -> None:
    (staged / reader.VALUE).write_text("[]")


def with_factors_whose_header_breaks_off(staged: Path) -> None:
    (staged / reader.FACTORS).write_bytes(b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f4',(")


def with_a_broken_customer_table(staged: Path) -> None:
    (staged / reader.CUSTOMER_TABLE).write_bytes(b"PAR1 no table PAR1")


DAMAGES = (
    without_a_ranker,
    with_other_factors,
    with_a_broken_index,
    with_a_broken_database,
    with_a_broken_table,
    without_value,
    with_a_value_that_is_no_object,
    with_factors_whose_header_breaks_off,
    with_a_broken_customer_table,
)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_bundle_that_does_not_open_leaves_the_old_one_serving_and_says_why(
    live: LiveRecommender,
    publish: Publish,
    empty_store: BundleStore,
    damage: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = publish("first")
    live.refresh()
    broken = publish("broken", damage)

    with caplog.at_level(logging.ERROR):
        live.refresh()

    assert live.current().bundle_id == live.status().bundle_id == first
    assert broken in str(live.status().problem)
    assert str(empty_store.root) not in str(live.status().problem)  # anybody may read it at /health/ready
    assert live.current().recommend(Query("x"), now=NOW).items
    assert [record.getMessage() for record in caplog.records] == ["bundle not swapped"]


@pytest.mark.parametrize("pointer", ["nobody\n", "../..\n", "\xff\xfe", "x" * 5_000])
def test_a_pointer_to_nothing_leaves_the_old_one_serving_and_the_watch_alive(
    live: LiveRecommender, publish: Publish, empty_store: BundleStore, pointer: str
) -> None:
    first = publish("first")
    live.start()
    assert until(lambda: live.status().bundle_id == first)

    (empty_store.root / CURRENT).write_text(pointer, encoding="latin-1")
    assert until(lambda: live.status().problem is not None)
    assert live.current().bundle_id == first

    second = publish("second")
    assert until(lambda: live.status().bundle_id == second)
    assert live.status().problem is None


def test_the_first_bundle_being_broken_is_what_not_ready_tells(live: LiveRecommender, publish: Publish) -> None:
    publish("broken", without_a_ranker)
    live.refresh()

    with pytest.raises(NotReady, match="other features"):
        live.current()


def test_a_folder_that_cannot_be_read_for_a_while_does_not_end_the_watch(
    live: LiveRecommender, publish: Publish, empty_store: BundleStore
) -> None:
    live.start()
    shutil.rmtree(empty_store.root)
    empty_store.root.mkdir()
    (empty_store.root / CURRENT).mkdir()
    assert until(lambda: live.status().problem is not None)
    (empty_store.root / CURRENT).rmdir()

    first = publish("first")

    assert until(lambda: live.status().bundle_id == first)


def test_what_is_served_needs_no_file_any_more(
    live: LiveRecommender, publish: Publish, empty_store: BundleStore, trained: Trained
) -> None:
    publish("first")
    live.refresh()
    shutil.rmtree(empty_store.root)

    serving, whole = live.current(), trained.recommender()

    assert serving.win_back(after_rank=0, limit=3, states=frozenset(), now=NOW) == whole.win_back(
        after_rank=0, limit=3, states=frozenset(), now=NOW
    )
    query = Query(serving.bundle.customer_table["customer_id"][0].as_py())
    assert serving.recommend(query, now=NOW).items == whole.recommend(query, now=NOW).items


def test_a_listener_is_told_at_once_and_after_every_change(live: LiveRecommender, publish: Publish) -> None:
    told: list[tuple[str | None, bool]] = []
    live.tell(lambda: told.append((live.status().bundle_id, live.status().problem is not None)))

    first = publish("first")
    live.refresh()
    publish("broken", without_value)
    live.refresh()
    live.refresh()

    assert told == [(None, False), (first, False), (first, True)]
