"""Carrying a plan out: slates made and dated, codes drawn, everybody's arm stored; then all of it is seen at once."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsvc.campaigns.contact import Contactable, send_times
from recsvc.campaigns.economics import Economics
from recsvc.campaigns.messages import Json, offer_told, products, sms
from recsvc.campaigns.planning import ARMS, HELD_OUT, Plan
from recsvc.domain.arrays import Counts
from recsvc.domain.layers import LAYERS
from recsvc.errors import ConfigError
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query
from recsvc.store.campaigns import CampaignStore, Launch, Member
from recsvc.store.coupons import CouponStore, PoolExhausted

AT_ONCE = 512  # members made and stored together
ROTATION = timedelta(days=60)  # what was shown so long ago may come again
MESSAGES = uuid.UUID("6d0f5f0e-6f6a-5d7c-9f0e-0c3c1c3a5b11")  # any fixed one: ids of messages are derived from it


@dataclass(frozen=True, slots=True)
class Stores:
    """What a launch writes to."""

    campaigns: CampaignStore
    coupons: CouponStore


def parts_of(plan: Plan) -> list[Counts]:
    """Positions among the chosen, as many as are stored together."""
    return np.array_split(np.arange(len(plan.rows)), max(1, -(-len(plan.rows) // AT_ONCE)))


def launch(plan: Plan, recommender: Recommender, stores: Stores, parts: Iterable[Counts], *, now: datetime) -> Launch:
    """Store a plan as a launched campaign; when it fails on the way, nobody has seen any of it.

    Parameters
    ----------
    parts
        `parts_of(plan)`, or the same behind a progress bar.

    Raises
    ------
    ConfigError
        A campaign of that name was launched before, or there is nobody to contact.
    PoolExhausted
        A pool has fewer codes than the plan needs.
    """
    campaign = plan.campaign
    if not plan.expected.contacted:
        raise ConfigError("audience", "nobody is to be contacted", "`recsvc campaign plan` counts why")
    begins = campaign.begins_at
    begun = Launch(
        name=campaign.name,
        bundle_id=recommender.bundle_id,
        document={"campaign": campaign.model_dump(mode="json"), "expected": expected_json(plan)},
        begun_at=now,
        starts_at=begins,
        ends_at=begins + timedelta(days=max(offer.valid_days for offer in campaign.offers)),
    )
    stores.campaigns.begin(begun)
    _check_pools(plan, stores.coupons)
    making = _Making(plan, recommender, stores, now)
    for part in parts:
        stores.campaigns.add(campaign.name, making.members(part))
    stores.campaigns.launch(campaign.name, at=now)
    return stores.campaigns.get(campaign.name)


def expected_json(plan: Plan) -> Json:
    """What a plan expects, and whom it leaves out, as plain numbers."""
    expected = {name: getattr(plan.expected, name) for name in plan.expected.__slots__}
    return {**expected, "left_out": dict(plan.left_out), "audience": len(plan.candidates.layer)}


def _check_pools(plan: Plan, coupons: CouponStore) -> None:
    contacted = plan.offer[plan.arm != HELD_OUT]
    needed = Counter(plan.campaign.offers[offer].coupons for offer in contacted.tolist())
    for pool, count in needed.items():
        if pool is not None and coupons.left(pool) < count:
            raise PoolExhausted(pool, count, coupons.left(pool))


class _Making:
    """Makes the members of one campaign."""

    def __init__(self, plan: Plan, recommender: Recommender, stores: Stores, now: datetime) -> None:
        self.plan, self.campaign, self.recommender, self.stores, self.now = (
            plan,
            plan.campaign,
            recommender,
            stores,
            now,
        )
        chosen = plan.candidates.customer_ids.take(pa.array(plan.rows))
        self.ids: list[str] = chosen.to_pylist()
        self.spend_before = _spend_before(recommender, chosen)
        reachable = np.flatnonzero(plan.candidates.reach.reachable)
        self.in_economics = np.searchsorted(reachable, plan.rows)
        self.channels = tuple(self.campaign.channels)
        ids = recommender.bundle.items.ids
        self.unmentionable = frozenset(ids.id(row) for row in np.flatnonzero(~recommender.nameable).tolist())

    def members(self, part: Counts) -> list[Member]:
        """Members of some of the chosen, in their order."""
        contacted = [one for one in part.tolist() if self.plan.arm[one] != HELD_OUT]
        messages = self._messages(contacted)
        return [self._member(one, messages.get(one)) for one in part.tolist()]

    def _messages(self, contacted: Sequence[int]) -> Mapping[int, dict[str, Any]]:
        """What each of the contacted is sent, and when."""
        if not contacted:
            return {}
        ids = [self.ids[one] for one in contacted]
        codes = self._codes(contacted)
        shown = self.stores.campaigns.shown_since(ids, self.now - ROTATION)
        since = (self.now - ROTATION).date()
        queries = [self._query(one, shown.get(one, ()), since) for one in ids]
        slates = self.recommender.recommend_many(queries, now=self.now)
        times = send_times(self._contactable(contacted), self.campaign.contact, self.campaign.starts_on, self.now)
        return {
            one: self._message(one, products(slate, self.recommender), codes.get(self.ids[one]), at)
            for one, slate, at in zip(contacted, slates, times, strict=True)
        }

    def _query(self, customer_id: str, shown: Sequence[str], since: date) -> Query:
        """What to show a customer: nothing that a message, which others may read, had better not name."""
        return Query(
            customer_id,
            k=self.campaign.products,
            exclude=self.unmentionable,
            shown=tuple(shown),
            shown_since=since if shown else None,
        )

    def _message(self, one: int, shown: Sequence[Json], code: str | None, at: datetime) -> dict[str, Any]:
        told = offer_told(self.campaign.offers[self.plan.offer[one]], self.campaign, shown, code)
        return {"products": shown, "offer": told, "text": sms(shown, told), "send_at": at}

    def _codes(self, contacted: Sequence[int]) -> dict[str, str]:
        by_pool = defaultdict(list)
        for one in contacted:
            pool = self.campaign.offers[self.plan.offer[one]].coupons
            if pool is not None:
                by_pool[pool].append(self.ids[one])
        drawn: dict[str, str] = {}
        for pool, ids in by_pool.items():
            drawn |= self.stores.coupons.draw(pool, self.campaign.name, ids, at=self.now)
        return drawn

    def _contactable(self, contacted: Sequence[int]) -> Contactable:
        rows, said = self.plan.rows[list(contacted)], self.plan.candidates.contactable
        zone = [said.zone[row] for row in rows.tolist()]
        columns = {name: getattr(said, name)[rows] for name in Contactable.__slots__ if name != "zone"}
        return Contactable(zone=zone, **columns)

    def _member(self, one: int, message: dict[str, Any] | None) -> Member:
        row, offer = int(self.plan.rows[one]), int(self.plan.offer[one])
        why = _expected_of(self.plan.economics, int(self.in_economics[one]), offer)
        details = {"expected": why, "spend_before": self.spend_before[one]}
        if message is None:
            rest = {}
        else:
            rest = {
                "channel": self.channels[self.plan.candidates.reach.channel[row]],
                "send_at": message.pop("send_at"),
                "slate_id": str(uuid.uuid5(MESSAGES, f"{self.campaign.name}/{self.ids[one]}")),
            }
        return Member(
            customer_id=self.ids[one],
            arm=ARMS[self.plan.arm[one]],
            layer=LAYERS[self.plan.candidates.layer[row]],
            offer=self.campaign.offers[offer].name,
            details=details | (message or {}),
            **rest,
        )


def _spend_before(recommender: Recommender, chosen: pa.ChunkedArray) -> list[float]:
    table = recommender.bundle.customer_table
    found: list[float] = table["spend"].take(pc.index_in(chosen, value_set=table["customer_id"])).to_pylist()
    return found


def _expected_of(economics: Economics, row: int, offer: int) -> dict[str, float]:
    """What the choice of one customer's offer rested on, so that it can be looked up later."""
    names = ("returns", "extra_returns", "used", "spend", "profit")
    found = {name: round(float(getattr(economics, name)[row, offer]), 6) for name in names}
    return {**found, "value": round(float(economics.value[row]), 6)}
