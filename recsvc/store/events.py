"""Live events: added once by their id, read by customer or in the order they came.

`seq` grows with every event that becomes visible, over all processes, so "what is new since n" misses nothing.
Nobody's event is ever changed here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Literal, get_args

import orjson
import sqlalchemy as sa

from recsvc.domain.keys import key_of_id
from recsvc.store.engine import reaching, writing
from recsvc.store.erasures import erased_among
from recsvc.store.moments import stamp
from recsvc.store.schema import events

EventKind = Literal["purchase", "view", "cart", "impression", "click", "unsubscribe", "feedback"]
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
AT_ONCE = 1_000  # ids asked for, or rows read, in one query
Details = Mapping[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class Event:
    """Something a customer did.

    Attributes
    ----------
    event_id : at most 200 characters; the same one twice is one event
    occurred_at : tz-aware
    details : what else is known of it, by name: quantity, price, order_id, ...
    """

    event_id: str
    customer_id: str
    kind: EventKind
    occurred_at: datetime
    item_id: str | None = None
    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Added:
    """The events of a batch that were new, in its order, how many were there before, and whose may not be kept."""

    new: tuple[Event, ...]
    duplicate: int
    erased: frozenset[str] = frozenset()

    @property
    def accepted(self) -> int:
        """How many were new."""
        return len(self.new)


class EventStore:
    """The events in the live store; every call asks the database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, some: Sequence[Event], *, received_at: datetime) -> Added:
        """Keep what is not there yet, all or nothing; once this returns, it survives a power cut.

        Nothing is kept of customers who were erased; whether they were is asked in the same transaction.

        Raises
        ------
        StoreUnavailable
            If the database does not answer.
        """
        by_id: dict[str, Event] = {}
        for event in some:
            by_id.setdefault(event.event_id, event)
        with writing(self._engine) as connection:
            erased = erased_among(connection, {event.customer_id for event in some})
            there = _known_ids(connection, list(by_id))
            new = [one for one in by_id.values() if one.event_id not in there and one.customer_id not in erased]
            if new:
                connection.execute(sa.insert(events), [_row(event, received_at) for event in new])
        refused = sum(event.customer_id in erased for event in some)
        return Added(tuple(new), len(some) - len(new) - refused, erased)

    def of_customers(self, customer_ids: Collection[str], kinds: Collection[str], *, since: datetime) -> list[Event]:
        """Events of some customers at a moment or later, in order of that moment, then as they came."""
        keys = [key_of_id(customer_id) for customer_id in customer_ids]
        asked = (
            sa.select(events)
            .where(events.c.customer_key.in_(keys), events.c.occurred_at >= stamp(since), events.c.kind.in_(kinds))
            .order_by(events.c.occurred_at, events.c.seq)
        )
        with reaching(self._engine) as connection:
            return [_event(row) for row in connection.execute(asked)]

    def customers_after(self, seq: int, kinds: Collection[str], *, since: datetime) -> tuple[int, frozenset[bytes]]:
        """Last sequence number there is, and the keys of customers whose events came after one.

        Parameters
        ----------
        seq
            Of the last event already known; 0 for none.
        since
            Events that occurred before it do not count.
        """
        came_after = events.c.seq > seq
        wanted = sa.and_(came_after, events.c.occurred_at >= stamp(since), events.c.kind.in_(kinds))
        with reaching(self._engine) as connection:
            last = connection.scalar(sa.select(sa.func.max(events.c.seq)).where(came_after))
            if last is None:
                return seq, frozenset()
            keys = connection.scalars(sa.select(events.c.customer_key).distinct().where(wanted, events.c.seq <= last))
            return last, frozenset(map(bytes, keys))

    def of_kind(self, kind: EventKind, *, since: datetime) -> Iterator[Event]:
        """Every event of a kind at a moment or later, in the order they came, a part at a time."""
        return self._read(events.c.kind == kind, events.c.occurred_at >= stamp(since))

    def all(self) -> Iterator[Event]:
        """Every event, in the order they came, a part at a time."""
        return self._read()

    def _read(self, *wanted: sa.ColumnElement[bool]) -> Iterator[Event]:
        seq = 0
        while True:
            asked = sa.select(events).where(events.c.seq > seq, *wanted).order_by(events.c.seq).limit(AT_ONCE)
            with reaching(self._engine) as connection:
                rows = connection.execute(asked).all()
            if not rows:
                return
            seq = rows[-1].seq
            yield from map(_event, rows)


def _known_ids(connection: sa.Connection, event_ids: Sequence[str]) -> set[str]:
    rest, known = iter(event_ids), set[str]()
    while some := list(islice(rest, AT_ONCE)):
        known.update(connection.scalars(sa.select(events.c.event_id).where(events.c.event_id.in_(some))))
    return known


def _row(event: Event, received_at: datetime) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "customer_key": key_of_id(event.customer_id),
        "customer_id": event.customer_id,
        "kind": event.kind,
        "item_id": event.item_id,
        "occurred_at": stamp(event.occurred_at),
        "received_at": stamp(received_at),
        "details": orjson.dumps(dict(event.details)).decode(),
    }


def _event(row: sa.Row[tuple[object, ...]]) -> Event:
    return Event(
        event_id=row.event_id,
        customer_id=row.customer_id,
        kind=row.kind,
        occurred_at=datetime.fromisoformat(row.occurred_at),
        item_id=row.item_id,
        details=orjson.loads(row.details),
    )
