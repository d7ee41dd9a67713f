"""Launched campaigns and their members, with the slate each was promised.

A campaign is begun, filled with members a part at a time, and launched at the end; before that nobody sees any of it,
so a launch that was cut off has happened to nobody, and the next one begins again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from recsvc.domain.keys import key_of_id
from recsvc.errors import ConfigError
from recsvc.store.coupons import release
from recsvc.store.engine import reaching, writing
from recsvc.store.events import AT_ONCE
from recsvc.store.moments import stamp
from recsvc.store.schema import campaign_members, campaigns

Json = Mapping[str, Any]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class Launch:
    """A campaign as the store knows it.

    Attributes
    ----------
    document : the campaign's file, and what was expected of it
    launched_at : None while it is being launched, or if that was cut off
    starts_at, ends_at : when its slates are shown
    """

    name: str
    bundle_id: str
    document: Json
    begun_at: datetime
    starts_at: datetime
    ends_at: datetime
    launched_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A customer whom a campaign chose.

    Attributes
    ----------
    offer : what they get; of who is held out, what they would have got
    channel, send_at, slate_id : None of who is held out
    details : what the choice rested on; of who is contacted also products, and a code where the offer has one
    pushed_at : when a webhook took the message
    """

    customer_id: str
    arm: str
    layer: str
    offer: str
    channel: str | None = None
    send_at: datetime | None = None
    slate_id: str | None = None
    details: Json = field(default_factory=dict)
    pushed_at: datetime | None = None


class CampaignStore:
    """The campaigns in the live store; every call asks the database and may raise `StoreUnavailable`."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def begin(self, launch: Launch) -> None:
        """Make room for a campaign; what a launch that was cut off left behind goes, its codes are free again.

        Raises
        ------
        ConfigError
            A campaign of that name was launched.
        """
        with writing(self.engine) as connection:
            there = connection.execute(sa.select(campaigns).where(campaigns.c.name == launch.name)).one_or_none()
            if there is not None and there.launched_at is not None:
                raise ConfigError("name", f"campaign {launch.name} was launched before", "give this one another name")
            release(connection, launch.name)
            connection.execute(sa.delete(campaign_members).where(campaign_members.c.campaign == launch.name))
            connection.execute(sa.delete(campaigns).where(campaigns.c.name == launch.name))
            connection.execute(sa.insert(campaigns).values(**_campaign_row(launch)))

    def add(self, name: str, members: Sequence[Member]) -> None:
        """Add members to a campaign that was begun, all or none."""
        if members:
            with writing(self.engine) as connection:
                connection.execute(sa.insert(campaign_members), [_member_row(name, one) for one in members])

    def launch(self, name: str, *, at: datetime) -> None:
        """Let a campaign that has all its members be seen."""
        self._date(name, "launched_at", at)

    def close(self, name: str, *, at: datetime) -> None:
        """Show and export a campaign no longer; it can still be reported on."""
        self._date(name, "closed_at", at)

    def get(self, name: str) -> Launch:
        """Return a launched campaign.

        Raises
        ------
        ConfigError
            There is none of that name.
        """
        found = {one.name: one for one in self.all()}.get(name)
        if found is None:
            fix = "`recsvc campaign show` lists those there are"
            raise ConfigError("name", f"no campaign {name} was launched", fix)
        return found

    def all(self) -> list[Launch]:
        """Every launched campaign, the latest first."""
        asked = sa.select(campaigns).where(campaigns.c.launched_at.is_not(None)).order_by(campaigns.c.begun_at.desc())
        with reaching(self.engine) as connection:
            return [_launch(row) for row in connection.execute(asked)]

    def members(self, name: str) -> Iterator[list[Member]]:
        """Members of a campaign in the order they were added, a part at a time."""
        seq = 0
        while True:
            later = sa.and_(campaign_members.c.campaign == name, campaign_members.c.seq > seq)
            asked = sa.select(campaign_members).where(later).order_by(campaign_members.c.seq).limit(AT_ONCE)
            with reaching(self.engine) as connection:
                rows = connection.execute(asked).all()
            if not rows:
                return
            seq = rows[-1].seq
            yield [_member(row) for row in rows]

    def of_customer(self, customer_id: str) -> list[tuple[str, Member]]:
        """Campaigns that chose a customer, by name, and what they are in each."""
        mine = campaign_members.c.customer_key == key_of_id(customer_id)
        with reaching(self.engine) as connection:
            rows = connection.execute(sa.select(campaign_members).where(mine).order_by(campaign_members.c.seq)).all()
        return [(row.campaign, _member(row)) for row in rows]

    def pushed(self, name: str, customer_ids: Sequence[str], *, at: datetime) -> None:
        """Remember that a webhook took the messages of some members."""
        mine = sa.and_(
            campaign_members.c.campaign == name,
            campaign_members.c.customer_key.in_([key_of_id(one) for one in customer_ids]),
        )
        with writing(self.engine) as connection:
            connection.execute(sa.update(campaign_members).where(mine).values(pushed_at=stamp(at)))

    def messages_between(self, since: datetime, until: datetime) -> Counter[str]:
        """How many messages launched campaigns send to each customer from one moment to another, by customer id."""
        of = campaign_members.c
        asked = (
            sa.select(of.customer_id, sa.func.count())
            .join(campaigns, campaigns.c.name == of.campaign)
            .where(campaigns.c.launched_at.is_not(None), of.send_at >= stamp(since), of.send_at < stamp(until))
            .where(sa.or_(campaigns.c.closed_at.is_(None), campaigns.c.closed_at > of.send_at))
            .group_by(of.customer_id)
        )
        with reaching(self.engine) as connection:
            return Counter({row[0]: row[1] for row in connection.execute(asked)})

    def shown_since(self, customer_ids: Collection[str], since: datetime) -> dict[str, list[str]]:
        """Items that messages of launched campaigns show customers from a moment on, once a showing."""
        of = campaign_members.c
        asked = (
            sa.select(of.customer_id, of.details)
            .join(campaigns, campaigns.c.name == of.campaign)
            .where(of.customer_key.in_([key_of_id(one) for one in customer_ids]), of.send_at >= stamp(since))
            .where(campaigns.c.launched_at.is_not(None))
            .order_by(of.seq)
        )
        shown: dict[str, list[str]] = {}
        with reaching(self.engine) as connection:
            for customer_id, details in connection.execute(asked):
                products = orjson.loads(details).get("products", ())
                shown.setdefault(customer_id, []).extend(one["item_id"] for one in products)
        return shown

    def running(self, *, now: datetime) -> list[Launch]:
        """Campaigns whose slates are shown now, the latest launched last."""
        asked = sa.select(campaigns).where(*_runs(now)).order_by(campaigns.c.launched_at, campaigns.c.name)
        with reaching(self.engine) as connection:
            return [_launch(row) for row in connection.execute(asked)]

    def keys_of(self, name: str) -> Iterator[bytes]:
        """Key of every member of a campaign."""
        asked = sa.select(campaign_members.c.customer_key).where(campaign_members.c.campaign == name)
        with reaching(self.engine) as connection:
            yield from map(bytes, connection.scalars(asked.execution_options(yield_per=AT_ONCE)))

    def active_of(self, customer_ids: Collection[str], *, now: datetime) -> dict[str, tuple[Launch, Member]]:
        """Running campaign of each customer who is in one, the latest launched, and what they are in it."""
        asked = (
            sa.select(campaign_members, *(column.label(f"its_{column.name}") for column in campaigns.c))
            .join(campaigns, campaigns.c.name == campaign_members.c.campaign)
            .where(campaign_members.c.customer_key.in_([key_of_id(one) for one in customer_ids]), *_runs(now))
            .order_by(campaigns.c.launched_at, campaigns.c.name)
        )
        with reaching(self.engine) as connection:
            rows = connection.execute(asked).all()
        return {row.customer_id: (_launch(row, "its_"), _member(row)) for row in rows}

    def _date(self, name: str, column: str, at: datetime) -> None:
        changed = sa.update(campaigns).where(campaigns.c.name == name, campaigns.c[column].is_(None))
        with writing(self.engine) as connection:
            connection.execute(changed.values({column: stamp(at)}))


def _runs(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    moment, of = stamp(now), campaigns.c
    return of.launched_at <= moment, of.starts_at <= moment, of.ends_at > moment, of.closed_at.is_(None)


def _campaign_row(launch: Launch) -> dict[str, object]:
    return {
        "name": launch.name,
        "bundle_id": launch.bundle_id,
        "document": orjson.dumps(dict(launch.document)).decode(),
        "begun_at": stamp(launch.begun_at),
        "starts_at": stamp(launch.starts_at),
        "ends_at": stamp(launch.ends_at),
    }


def _launch(row: sa.Row[Any], prefix: str = "") -> Launch:  # Any: columns of a query
    def value(name: str) -> Any:
        return getattr(row, prefix + name)

    return Launch(
        name=value("name"),
        bundle_id=value("bundle_id"),
        document=orjson.loads(value("document")),
        begun_at=datetime.fromisoformat(value("begun_at")),
        starts_at=datetime.fromisoformat(value("starts_at")),
        ends_at=datetime.fromisoformat(value("ends_at")),
        launched_at=_moment(value("launched_at")),
        closed_at=_moment(value("closed_at")),
    )


def _member_row(name: str, member: Member) -> dict[str, object]:
    return {
        "campaign": name,
        "customer_key": key_of_id(member.customer_id),
        "customer_id": member.customer_id,
        "arm": member.arm,
        "layer": member.layer,
        "offer": member.offer,
        "channel": member.channel,
        "send_at": member.send_at and stamp(member.send_at),
        "slate_id": member.slate_id,
        "details": orjson.dumps(dict(member.details)).decode(),
    }


def _member(row: sa.Row[Any]) -> Member:  # Any: columns of a query
    return Member(
        customer_id=row.customer_id,
        arm=row.arm,
        layer=row.layer,
        offer=row.offer,
        channel=row.channel,
        send_at=_moment(row.send_at),
        slate_id=row.slate_id,
        details=orjson.loads(row.details),
        pushed_at=_moment(row.pushed_at),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
