from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context

import pytest
import sqlalchemy as sa

from recsvc.errors import DataError
from recsvc.store.coupons import ALPHABET, CODE_LENGTH, CouponStore, Pool, PoolExhausted
from recsvc.store.engine import open_store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(store_url: str) -> Iterator[CouponStore]:
    engine: sa.Engine = open_store(store_url)
    yield CouponStore(engine)
    engine.dispose()


def test_codes_are_added_once(store: CouponStore) -> None:
    assert store.add("spring", ["A", "B", "A"]) == 2
    assert store.add("spring", ["B", "C"]) == 1
    assert store.add("autumn", ["A"]) == 1
    assert store.pools() == [Pool("autumn", 1, 0), Pool("spring", 3, 0)]


@pytest.mark.parametrize("wrong", ["", "x" * 65])
def test_a_code_that_cannot_be_kept_stops_all_of_them(store: CouponStore, wrong: str) -> None:
    with pytest.raises(DataError, match="coupon codes"):
        store.add("spring", ["A", wrong])

    assert store.pools() == []


def test_a_customer_has_the_same_code_whenever_they_are_asked_for_and_another_in_the_next_campaign(
    store: CouponStore,
) -> None:
    store.generate("spring", 10)

    first = store.draw("spring", "one", ["7", "8"], at=NOW)
    again = store.draw("spring", "one", ["8", "9", "7"], at=NOW)
    other = store.draw("spring", "two", ["7"], at=NOW)

    assert {name: again[name] for name in first} == first
    assert len({*again.values(), *other.values()}) == 4
    assert store.left("spring") == 6


def test_where_codes_run_out_nobody_gets_one(store: CouponStore) -> None:
    store.generate("spring", 2)

    with pytest.raises(PoolExhausted, match="has 2 codes left, 3 are needed"):
        store.draw("spring", "one", ["1", "2", "3"], at=NOW)

    assert store.left("spring") == 2


def test_generated_codes_differ_and_are_easy_to_read(store: CouponStore) -> None:
    assert store.generate("spring", 500) == 500

    codes = store.codes("spring")
    assert len(set(codes)) == 500
    assert all(len(code) == CODE_LENGTH and set(code) <= set(ALPHABET) for code in codes)


def draws(url: str, who: int) -> list[str]:
    """Codes that one process draws, a few customers at a time."""
    engine = open_store(url)
    store = CouponStore(engine)
    drawn = [store.draw("spring", "one", [f"{who}-{n}", f"{who}-{n}b"], at=NOW) for n in range(10)]
    engine.dispose()
    return [code for some in drawn for code in some.values()]


def test_processes_that_draw_at_once_never_get_the_same_code(store: CouponStore, store_url: str) -> None:
    store.generate("spring", 90)

    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        found = [code for some in pool.map(draws, [store_url] * 4, range(4)) for code in some]

    assert len(found) == len(set(found)) == 80
    assert store.left("spring") == 10
