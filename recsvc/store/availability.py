"""What is on sale, and at which price, as the shop last said: it moves faster than training.

`seq` grows with every change that becomes visible, so "what changed since n" misses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import sqlalchemy as sa

from recsvc.domain.keys import key_of_id
from recsvc.store.engine import reaching, writing
from recsvc.store.events import AT_ONCE
from recsvc.store.moments import stamp
from recsvc.store.schema import availability


@dataclass(frozen=True, slots=True)
class Offer:
    """Whether an item is on sale, and its price in minor units; None: what the bundle says."""

    item_id: str
    available: bool
    price: int | None = None


class AvailabilityStore:
    """What is on sale, in the live store; every call asks the database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def put(self, offers: Sequence[Offer], *, changed_at: datetime) -> int:
        """Replace what is known of some items, all or nothing; of several about one item the last counts.

        Returns
        -------
        How many items it changed something for.

        Raises
        ------
        StoreUnavailable
            If the database does not answer.
        """
        wanted = {key_of_id(offer.item_id): offer for offer in offers}
        with writing(self._engine) as connection:
            there = _there(connection, list(wanted))
            changed = {key: offer for key, offer in wanted.items() if there.get(key) != offer}
            last = connection.scalar(sa.select(sa.func.max(availability.c.seq))) or 0
            rows = [
                _row(key, offer, last + number, changed_at) for number, (key, offer) in enumerate(changed.items(), 1)
            ]
            new = [row for row in rows if row["item_key"] not in there]
            old = [{**row, "which": row["item_key"]} for row in rows if row["item_key"] in there]
            if new:
                connection.execute(sa.insert(availability), new)
            if old:
                which = availability.c.item_key == sa.bindparam("which")
                connection.execute(sa.update(availability).where(which), old)
        return len(changed)

    def changed_after(self, seq: int) -> tuple[int, tuple[Offer, ...]]:
        """Last sequence number there is, and what changed after one; 0 for everything."""
        asked = sa.select(availability).where(availability.c.seq > seq).order_by(availability.c.seq)
        with reaching(self._engine) as connection:
            rows = connection.execute(asked).all()
        return (rows[-1].seq if rows else seq), tuple(map(_offer, rows))


def _there(connection: sa.Connection, keys: Sequence[bytes]) -> Mapping[bytes, Offer]:
    rest, there = iter(keys), dict[bytes, Offer]()
    while some := list(islice(rest, AT_ONCE)):
        rows = connection.execute(sa.select(availability).where(availability.c.item_key.in_(some)))
        there.update((bytes(row.item_key), _offer(row)) for row in rows)
    return there


def _row(key: bytes, offer: Offer, seq: int, changed_at: datetime) -> dict[str, object]:
    return {
        "item_key": key,
        "item_id": offer.item_id,
        "available": offer.available,
        "price": offer.price,
        "changed_at": stamp(changed_at),
        "seq": seq,
    }


def _offer(row: sa.Row[tuple[object, ...]]) -> Offer:
    return Offer(row.item_id, row.available, row.price)
