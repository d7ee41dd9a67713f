"""Pools of coupon codes: one code one customer, once, whoever else draws at the same moment.

Writers take turns (`engine.writing`), so whoever draws sees every code that was drawn before; a process that is killed
has drawn nothing, or all it asked for. Asking again for the same customers and campaign gives the same codes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import sqlalchemy as sa

from recsvc.domain.keys import key_of_id
from recsvc.errors import DataError, RecsvcError
from recsvc.store.engine import reaching, writing
from recsvc.store.events import AT_ONCE
from recsvc.store.moments import stamp
from recsvc.store.schema import coupons

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is read for something else
CODE_LENGTH = 12  # 60 bits: not to be guessed
MAX_LENGTH = 64


@dataclass
class PoolExhausted(RecsvcError):
    """A pool holds fewer codes than are needed."""

    pool: str
    needed: int
    left: int
    code = "coupons_exhausted"

    def __str__(self) -> str:
        return (
            f"coupon pool {self.pool} has {self.left} codes left, {self.needed} are needed; "
            f"add some by `recsvc coupons add` or `recsvc coupons generate`"
        )


@dataclass(frozen=True, slots=True)
class Pool:
    """How many codes a pool has, and how many of them are drawn."""

    name: str
    codes: int
    drawn: int

    @property
    def left(self) -> int:
        """Codes nobody has."""
        return self.codes - self.drawn


class CouponStore:
    """The coupon pools in the live store; every call asks the database and may raise `StoreUnavailable`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, pool: str, codes: Iterable[str]) -> int:
        """Add codes that the pool does not hold yet, all or none; how many were new.

        Raises
        ------
        DataError
            A code is empty or too long; nothing is added.
        """
        wanted = list(dict.fromkeys(codes))
        for code in wanted:
            if not 0 < len(code) <= MAX_LENGTH:
                raise DataError("coupon codes", f"{code[:20]!r} has {len(code)} characters", f"1 to {MAX_LENGTH} fit")
        with writing(self._engine) as connection:
            there = _known(connection, pool, wanted)
            new = [{"pool": pool, "code": code} for code in wanted if code not in there]
            if new:
                connection.execute(sa.insert(coupons), new)
        return len(new)

    def generate(self, pool: str, count: int) -> int:
        """Add so many codes that nobody can guess."""
        return self.add(pool, ("".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(count)))

    def draw(self, pool: str, campaign: str, customer_ids: Sequence[str], *, at: datetime) -> dict[str, str]:
        """A code of the pool for each customer, by customer id, all or none.

        Raises
        ------
        PoolExhausted
            There are fewer codes left than customers without one.
        """
        keys = {key_of_id(one): one for one in customer_ids}
        with writing(self._engine) as connection:
            drawn = _drawn(connection, pool, campaign, list(keys))
            without = [key for key in keys if key not in drawn]
            free = _free(connection, pool, len(without))
            if len(free) < len(without):
                raise PoolExhausted(pool, len(without), len(free))
            rows = [{"its": code, "key": key} for code, key in zip(free, without, strict=True)]
            if rows:
                which = sa.and_(coupons.c.pool == pool, coupons.c.code == sa.bindparam("its"))
                values = {"campaign": campaign, "customer_key": sa.bindparam("key"), "drawn_at": stamp(at)}
                connection.execute(sa.update(coupons).where(which).values(values), rows)
        drawn |= dict(zip(without, free, strict=True))
        return {customer_id: drawn[key] for key, customer_id in keys.items()}

    def pools(self) -> list[Pool]:
        """Every pool by name."""
        counted = sa.select(coupons.c.pool, sa.func.count(), sa.func.count(coupons.c.customer_key))
        with reaching(self._engine) as connection:
            return [Pool(*row) for row in connection.execute(counted.group_by(coupons.c.pool).order_by(coupons.c.pool))]

    def codes(self, pool: str) -> list[str]:
        """Every code of a pool, in order."""
        asked = sa.select(coupons.c.code).where(coupons.c.pool == pool).order_by(coupons.c.code)
        with reaching(self._engine) as connection:
            return list(connection.scalars(asked))

    def left(self, pool: str) -> int:
        """Codes of a pool nobody has; 0 where there is no such pool."""
        return next((one.left for one in self.pools() if one.name == pool), 0)


def release(connection: sa.Connection, campaign: str) -> None:
    """Give back the codes of a campaign nobody has seen."""
    mine = sa.update(coupons).where(coupons.c.campaign == campaign)
    connection.execute(mine.values(campaign=None, customer_key=None, drawn_at=None))


def _known(connection: sa.Connection, pool: str, codes: Sequence[str]) -> set[str]:
    rest, known = iter(codes), set[str]()
    while some := list(islice(rest, AT_ONCE)):
        mine = sa.and_(coupons.c.pool == pool, coupons.c.code.in_(some))
        known.update(connection.scalars(sa.select(coupons.c.code).where(mine)))
    return known


def _drawn(connection: sa.Connection, pool: str, campaign: str, keys: Sequence[bytes]) -> dict[bytes, str]:
    """Codes that customers have already, by their keys."""
    rest, drawn = iter(keys), dict[bytes, str]()
    of_campaign = sa.and_(coupons.c.pool == pool, coupons.c.campaign == campaign)
    while some := list(islice(rest, AT_ONCE)):
        asked = sa.select(coupons.c.customer_key, coupons.c.code)
        rows = connection.execute(asked.where(of_campaign, coupons.c.customer_key.in_(some)))
        drawn.update({bytes(key): code for key, code in rows})
    return drawn


def _free(connection: sa.Connection, pool: str, count: int) -> list[str]:
    free = sa.and_(coupons.c.pool == pool, coupons.c.customer_key.is_(None))
    return list(connection.scalars(sa.select(coupons.c.code).where(free).order_by(coupons.c.code).limit(count)))
