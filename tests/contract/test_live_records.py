"""A bundle's record with live purchases appended is the record that the next training makes of both."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np

from recsvc.domain.history import concatenate, no_history
from recsvc.domain.ids import ItemIds
from recsvc.serving.live_customers import LiveCustomers
from recsvc.serving.live_records import with_live_orders
from recsvc.store.engine import open_store
from recsvc.store.events import Event, EventStore
from recsvc.store.watch import CommitWatch
from tests.domain.record_strategies import plain
from tests.training.test_records import START, Row, random_order, random_shop, read

AS_OF = START + timedelta(10)


def event(number: int, row: Row) -> Event:
    customer_id, item_id, day, quantity, price = row
    at = datetime.combine(day, time(number % 24), UTC)
    return Event(f"e{number}", customer_id, "purchase", at, item_id, {"quantity": quantity, "price": float(price)})


def customer(record: dict[str, object]) -> str:
    return str(record["customer_id"])


def later(row: Row) -> Row:
    """The same line on one of the days from `AS_OF` on."""
    return (row[0], row[1], row[2] + (AS_OF - START), *row[3:])


def test_summarising_lines_and_orders_equals_appending_live_orders_to_the_summary(
    store_url: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(11)
    before = random_shop(rng)
    buyers = [*dict.fromkeys(row[0] for row in before[::3]), "newcomer"]
    after = [later(row) for one in buyers for _ in range(2) for row in random_order(one, rng)]
    ((held, item_rows, _),) = read(before)
    engine = open_store(store_url)
    store, watch = EventStore(engine), CommitWatch(engine)
    as_of = datetime.combine(AS_OF, time(), UTC)
    store.add([event(number, row) for number, row in enumerate([*before, *after])], received_at=as_of)

    happened = LiveCustomers(store, as_of).of([*held.customer_ids, "newcomer"], watch.mark())
    appended = with_live_orders(concatenate([held, no_history("newcomer")]), happened, ItemIds(list(item_rows)))

    ((together, same_rows, _),) = read([*before, *after])
    assert item_rows == same_rows
    assert sorted(plain(appended), key=customer) == sorted(plain(together), key=customer)
    watch.close()
    engine.dispose()
