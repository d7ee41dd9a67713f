"""What a plan must know of its audience: figures of the bundle, consent, and what the live store knows of contacts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from recsvc.bundle.reader import Bundle
from recsvc.campaigns.audience import audience
from recsvc.campaigns.campaign_file import Campaign
from recsvc.campaigns.contact import Contactable, reach
from recsvc.campaigns.economics import Prospects
from recsvc.campaigns.planning import Candidates
from recsvc.domain.arrays import Counts, Mask, Vector
from recsvc.domain.layers import LAYERS
from recsvc.domain.profiles import RARELY
from recsvc.domain.touchpoints import KINDS, Touchpoints
from recsvc.errors import DataError
from recsvc.experiments.assignment import held_out_of_everything
from recsvc.serving.customer_state import day_of, moment_of
from recsvc.serving.live_data import LiveData
from recsvc.serving.uplift import read_learned, uplift_of
from recsvc.store.campaigns import CampaignStore
from recsvc.store.events import EventStore

EVERY_CHANNEL = "all"  # an unsubscription from everything
CHUNK = 4096
COOLING, CONTACT = ("complaint", "return"), ("contact",)
ALWAYS = moment_of(0)


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """What the live store knows of contacts with customers, by their ids.

    Attributes
    ----------
    unsubscribed : ids by channel; the channel `all` stands for every one
    complained : who complained within the cooling days
    bought : who ordered since the bundle, or the launch: they are back
    messages : messages within the days of the cap, of launched campaigns
    """

    unsubscribed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    complained: frozenset[str] = frozenset()
    bought: frozenset[str] = frozenset()
    messages: Mapping[str, int] = field(default_factory=dict)


def gather(
    bundle: Bundle, live: LiveData, campaign: Campaign, facts: ContactFacts, global_holdout: float
) -> Candidates:
    """Audience of a campaign with everything a plan needs of it, in the order of the bundle's table; nobody erased.

    Parameters
    ----------
    global_holdout : in [0, 1)
        Share of all customers who are contacted by no campaign of a year.

    Raises
    ------
    FilterError
        The campaign's audience names a column there is not.
    DataError
        The bundle was made before customers had layers.
    """
    if "layer" not in bundle.customer_table.column_names:
        raise DataError(f"bundle {bundle.bundle_id}", "has no layers of customers", "train again with this release")
    table = bundle.customer_table.take(pa.array(np.flatnonzero(audience(bundle, campaign.audience))))
    erased = live.erased(table["customer_id"].to_pylist())
    table = table.filter(pc.invert(pc.is_in(table["customer_id"], value_set=pa.array(sorted(erased), pa.string()))))
    recorded = _recorded(bundle, table["customer_id"].to_pylist(), campaign)
    said = _contactable(bundle, table, campaign, facts, recorded, global_holdout)
    found = reach(said, campaign.contact)
    costs = np.array(list(campaign.channels.values()))
    return Candidates(
        customer_ids=table["customer_id"],
        layer=_positions(table["layer"], LAYERS),
        prospects=_prospects(table, costs[found.channel], recorded.uplift),
        reach=found,
        contactable=said,
    )


def contact_facts(
    events: EventStore,
    campaigns: CampaignStore,
    campaign: Campaign,
    bought_since: datetime,
    complained_since: datetime | None = None,
) -> ContactFacts:
    """What the live store knows before a campaign begins.

    Parameters
    ----------
    bought_since : tz-aware
        The bundle's `as_of` for a plan, the launch for an export.
    complained_since : tz-aware
        Within the cooling days before the campaign begins when not given.
    """
    begins, rules = campaign.begins_at, campaign.contact
    gone = defaultdict(set)
    for event in events.of_kind("unsubscribe", since=ALWAYS):
        gone[str(event.details["channel"])].add(event.customer_id)
    cooling_since = complained_since or begins - timedelta(days=rules.cooling_days)
    bought = events.of_kind("purchase", since=bought_since)
    feedback = events.of_kind("feedback", since=cooling_since)
    return ContactFacts(
        unsubscribed={channel: frozenset(ids) for channel, ids in gone.items()},
        complained=frozenset(event.customer_id for event in feedback if event.details["topic"] == "complaint"),
        bought=frozenset(event.customer_id for event in bought),
        messages=campaigns.messages_between(
            begins - timedelta(days=rules.cap_days), begins + timedelta(days=rules.cap_days)
        ),
    )


def _prospects(table: pa.Table, contact_cost: Vector, uplift: Vector | None) -> Prospects:
    returns = _floats(table, "probability_of_return")
    return Prospects(
        returns=returns,
        value=_floats(table, "expected_value_of_contact") / np.maximum(returns, RARELY),
        order_value=_floats(table, "expected_average_value"),
        contact_cost=contact_cost,
        uplift=uplift,
    )


def _contactable(
    bundle: Bundle,
    table: pa.Table,
    campaign: Campaign,
    facts: ContactFacts,
    recorded: _Recorded,
    global_holdout: float,
) -> Contactable:
    ids: list[str] = table["customer_id"].to_pylist()
    said = _said_of(bundle, table["customer_id"])
    channels, rules = tuple(campaign.channels), campaign.contact
    preferred = _positions(table["best_channel"], channels)
    return Contactable(
        personalisation=_yes(said, "personalisation", unknown=True),
        is_back=np.array([one in facts.bought for one in ids], bool),
        held_out=held_out_of_everything(ids, global_holdout, str(campaign.starts_on.year)),
        unsubscribed=_unsubscribed(ids, channels, facts.unsubscribed),
        consent=np.stack(
            [_yes(said, f"consent_{one}", unknown=rules.consent_when_unknown) for one in channels], axis=1
        ),
        cooling=recorded.cooling | np.array([one in facts.complained for one in ids], bool),
        recent=recorded.recent + np.array([facts.messages.get(one, 0) for one in ids], np.int64),
        preferred=np.maximum(preferred, 0),
        has_preferred=preferred >= 0,
        hour=pc.fill_null(table["best_hour"], 0).to_numpy().astype(np.int64),
        has_hour=table["best_hour"].is_valid().to_numpy(),
        zone=said["timezone"].to_pylist() if "timezone" in said.column_names else [None] * len(ids),
    )


def _said_of(bundle: Bundle, customer_ids: pa.ChunkedArray) -> pa.Table:
    """What the retailer said of some customers, a row each; null of whom it said nothing."""
    said = bundle.attributes
    if said is None:
        return pa.table({"customer_id": customer_ids})
    return said.take(pc.index_in(customer_ids, value_set=said["customer_id"]))


def _yes(said: pa.Table, name: str, *, unknown: bool) -> Mask:
    if name not in said.column_names:
        return np.full(len(said), unknown)
    yes: Mask = pc.fill_null(said[name], unknown).to_numpy().astype(bool)
    return yes


def _unsubscribed(
    ids: Sequence[str], channels: Sequence[str], by_channel: Mapping[str, frozenset[str]]
) -> NDArray[np.bool_]:
    nobody: frozenset[str] = frozenset()
    of_all = by_channel.get(EVERY_CHANNEL, nobody)
    of_each = [of_all | by_channel.get(channel, nobody) for channel in channels]
    return np.array([[one in gone for gone in of_each] for one in ids], bool).reshape(len(ids), len(channels))


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What the records say of the audience; every array has shape (n_customers,).

    Attributes
    ----------
    cooling : who complained or returned something within the cooling days
    recent : count of messages within the cap's days
    uplift : what a contact adds to P(return); None where the bundle did not learn it
    """

    cooling: Mask
    recent: Counts
    uplift: Vector | None


def _recorded(bundle: Bundle, ids: Sequence[str], campaign: Campaign) -> _Recorded:
    """Read every record once, a part at a time."""
    learned, first, rules = read_learned(bundle), day_of(campaign.begins_at), campaign.contact
    cooling, recent, uplift = [np.zeros(0)], [np.zeros(0)], [np.zeros(0)]
    for start in range(0, len(ids), CHUNK):
        histories, _ = bundle.customers.get_many(list(ids[start : start + CHUNK]))
        cooling.append(_happened(histories.touchpoints, COOLING, first - rules.cooling_days))
        recent.append(_happened(histories.touchpoints, CONTACT, first - rules.cap_days))
        if learned is not None:
            uplift.append(uplift_of(learned.model, histories, bundle))
    return _Recorded(
        cooling=np.concatenate(cooling) > 0,
        recent=np.concatenate(recent).astype(np.int64),
        uplift=None if learned is None else np.concatenate(uplift),
    )


def _happened(touchpoints: Touchpoints, kinds: Sequence[str], since_day: int) -> Vector:
    """Sum of the values of some kinds of touchpoint since a day; shape (n_customers,)."""
    wanted = np.isin(touchpoints.kind, [KINDS.index(kind) for kind in kinds]) & (touchpoints.day >= since_day)
    sums = np.bincount(touchpoints.customer()[wanted], touchpoints.value[wanted], len(touchpoints.offsets) - 1)
    return np.asarray(sums, np.float64)


def _positions(names: pa.ChunkedArray, known: Sequence[str]) -> Counts:
    """Place of each name among those known, -1 where it is none; the caller masks these."""
    found = pc.index_in(names, value_set=pa.array(known, pa.string()))
    positions: Counts = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    return positions


def _floats(table: pa.Table, name: str) -> Vector:
    values: Vector = table[name].to_numpy().astype(np.float64)
    return values
