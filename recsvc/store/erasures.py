"""Erasing customers from the live store, and remembering that it was done without remembering whom.

The tombstone is committed before anything is deleted, so whoever reads in between finds a stranger; deleting again
does no harm. Tombstones are hashes under a random key that never leaves the store but for the trainer's file.
"""

from __future__ import annotations

import secrets as randomness
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
import sqlalchemy as sa

from recsvc.domain.keys import key_of_id
from recsvc.domain.tombstones import KEY_BYTES, Tombstones, tombstone_of
from recsvc.store.engine import reaching, writing
from recsvc.store.moments import stamp
from recsvc.store.schema import campaign_members, coupons, erasures, events, privacy_log, secrets

TOMBSTONE_KEY = "tombstones"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done about somebody's data, and when; it names nobody.

    Attributes
    ----------
    action : `export`, `erase` or `expire`
    counts : rows by kind
    """

    receipt_id: str
    action: str
    happened_at: datetime
    counts: Mapping[str, int]


class ErasureStore:
    """Erasures in the live store; every call asks the database and may raise `StoreUnavailable`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def erase(self, customer_id: str, *, at: datetime) -> Mapping[str, int]:
        """Make somebody a stranger, then delete what the store holds of them; rows deleted by kind."""
        with writing(self._engine) as connection:
            tombstone = tombstone_of(customer_id, _key(connection))
            there = connection.scalar(sa.select(erasures.c.seq).where(erasures.c.tombstone == tombstone))
            if there is None:
                last = connection.scalar(sa.select(sa.func.max(erasures.c.seq))) or 0
                row = {"seq": last + 1, "tombstone": tombstone, "erased_at": stamp(at)}
                connection.execute(sa.insert(erasures).values(**row))
        with writing(self._engine) as connection:
            return _delete(connection, key_of_id(customer_id), tombstone)

    def expire(self, before: datetime) -> int:
        """Delete events older than a moment, but unsubscriptions, which hold for ever; how many there were."""
        with writing(self._engine) as connection:
            old = sa.delete(events).where(events.c.occurred_at < stamp(before), events.c.kind != "unsubscribe")
            return int(connection.execute(old).rowcount)

    def tombstones(self) -> Tombstones:
        """Everybody who was erased."""
        with writing(self._engine) as connection:
            key = _key(connection)
        return Tombstones(key, self.after(0)[1])

    def key(self) -> bytes | None:
        """Key of the hashes; None while nobody was erased."""
        with reaching(self._engine) as connection:
            return _known_key(connection)

    def after(self, seq: int) -> tuple[int, frozenset[bytes]]:
        """Last sequence number there is, and the tombstones that came after one."""
        asked = sa.select(erasures.c.seq, erasures.c.tombstone).where(erasures.c.seq > seq)
        with reaching(self._engine) as connection:
            rows = connection.execute(asked).all()
        return max((row.seq for row in rows), default=seq), frozenset(bytes(row.tombstone) for row in rows)

    def note(self, action: str, counts: Mapping[str, int], *, at: datetime) -> Receipt:
        """Write into the log what was done."""
        receipt = Receipt(str(uuid.uuid4()), action, at, dict(counts))
        row = {
            "receipt_id": receipt.receipt_id,
            "action": action,
            "happened_at": stamp(at),
            "counts": orjson.dumps(receipt.counts).decode(),
        }
        with writing(self._engine) as connection:
            connection.execute(sa.insert(privacy_log).values(**row))
        return receipt

    def log(self) -> list[Receipt]:
        """Everything that was done, in order of time."""
        asked = sa.select(privacy_log).order_by(privacy_log.c.happened_at, privacy_log.c.receipt_id)
        with reaching(self._engine) as connection:
            return [_receipt(row) for row in connection.execute(asked)]


def erased_among(connection: sa.Connection, customer_ids: set[str]) -> frozenset[str]:
    """Those of some customers who were erased, as a transaction sees it."""
    key = _known_key(connection)
    if key is None:
        return frozenset()
    by_tombstone = {tombstone_of(one, key): one for one in customer_ids}
    asked = sa.select(erasures.c.tombstone).where(erasures.c.tombstone.in_(list(by_tombstone)))
    return frozenset(by_tombstone[bytes(found)] for found in connection.scalars(asked))


def _delete(connection: sa.Connection, customer_key: bytes, tombstone: bytes) -> dict[str, int]:
    """Rows of a customer go; a code they have stays drawn, by nobody who can be told."""
    of_events = connection.execute(sa.delete(events).where(events.c.customer_key == customer_key)).rowcount
    members = sa.delete(campaign_members).where(campaign_members.c.customer_key == customer_key)
    of_campaigns = connection.execute(members).rowcount
    mine = sa.update(coupons).where(coupons.c.customer_key == customer_key)
    of_coupons = connection.execute(mine.values(customer_key=tombstone)).rowcount
    return {"events": int(of_events), "campaigns": int(of_campaigns), "coupons": int(of_coupons)}


def _known_key(connection: sa.Connection) -> bytes | None:
    found = connection.scalar(sa.select(secrets.c.value).where(secrets.c.name == TOMBSTONE_KEY))
    return None if found is None else bytes(found)


def _key(connection: sa.Connection) -> bytes:
    """Key of the hashes, made with the first tombstone."""
    found = _known_key(connection)
    if found is None:
        found = randomness.token_bytes(KEY_BYTES)
        connection.execute(sa.insert(secrets).values(name=TOMBSTONE_KEY, value=found))
    return found


def _receipt(row: sa.Row[tuple[object, ...]]) -> Receipt:
    happened_at, counts = datetime.fromisoformat(row.happened_at), orjson.loads(row.counts)
    return Receipt(row.receipt_id, row.action, happened_at, counts)
