"""What members of a campaign did afterwards, by the same records that ranking reads: the bundle's and live orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

import numpy as np

from recsvc.bundle.reader import Bundle
from recsvc.campaigns.campaign_file import Campaign, Offer
from recsvc.campaigns.planning import ARMS, EXPLORED, HELD_OUT
from recsvc.domain.arrays import AnyArray, Counts, Mask, Vector
from recsvc.domain.history import Histories
from recsvc.domain.layers import LAYERS
from recsvc.serving.customer_state import day_of
from recsvc.serving.live_data import LiveData
from recsvc.serving.live_records import histories_now
from recsvc.store.campaigns import Launch, Member

MINOR_UNITS = 100
CouponsUsed = Mapping[str, Mapping[str, date]]


@dataclass(frozen=True, slots=True)
class Window:
    """Days whose orders count, since 1970-01-01: `first` to before `end`; over when no day of it is still to come."""

    first: int
    end: int
    is_over: bool


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What each member did in the window; every array has shape (n_members,).

    Attributes
    ----------
    arm, layer, offer, channel : positions in `ARMS`, `LAYERS`, the campaign's offers and channels; the channel of who
        is held out means nothing
    returned : whether there was an order
    orders : order-days
    spend : currency units
    profit : currency units; margin of that, less what offer and contact cost
    cost : currency units; of offer and contact
    days_to_return : days from the window's first to the first order; means nothing where not returned
    redeemed : whether the offer was used
    spend_before : currency units; everything before the campaign
    """

    arm: Counts
    layer: Counts
    offer: Counts
    channel: Counts
    returned: Mask
    orders: Counts
    spend: Vector
    profit: Vector
    cost: Vector
    days_to_return: Counts
    redeemed: Mask
    spend_before: Vector

    @property
    def contacted(self) -> Mask:
        """Everybody a message was meant for, whatever reached them."""
        contacted: Mask = self.arm != HELD_OUT
        return contacted

    @property
    def explored(self) -> Mask:
        """Whose offer was drawn by lot."""
        explored: Mask = self.arm == EXPLORED
        return explored


def window_of(launch: Launch, measure_days: int, now: datetime) -> Window:
    """Days to measure: from the campaign's beginning, or its launch where that was later."""
    first = day_of(max(launch.starts_at, launch.launched_at or launch.starts_at))
    today = day_of(now) + 1
    return Window(first, min(first + measure_days, max(today, first)), today > first + measure_days)


def outcomes(
    bundle: Bundle,
    live: LiveData,
    campaign: Campaign,
    parts: Iterable[Sequence[Member]],
    window: Window,
    coupons_used: CouponsUsed,
) -> Outcomes:
    """Outcomes of all members, a part of them at a time.

    Parameters
    ----------
    coupons_used
        Day each code was first bought with, by customer id and code.
    """
    known = _Known(campaign, bundle.models.economics.margin)
    found = [known.of(bundle, live, part, window, coupons_used) for part in parts]
    columns = [[getattr(one, field.name) for one in found] for field in fields(Outcomes)]
    kinds = (np.int64,) * 4 + (np.bool_, np.int64, np.float64, np.float64, np.float64, np.int64, np.bool_, np.float64)
    return Outcomes(*(_joined(some, kind) for some, kind in zip(columns, kinds, strict=True)))


def _joined(some: Sequence[AnyArray], kind: type) -> AnyArray:
    return np.concatenate(some) if some else np.zeros(0, kind)


class _Known:
    """What outcomes of one campaign are counted with."""

    def __init__(self, campaign: Campaign, margin: float) -> None:
        self.margin = margin
        self.offers: dict[str, Offer] = {offer.name: offer for offer in campaign.offers}
        self.contact_costs = dict(campaign.channels)

    def of(
        self,
        bundle: Bundle,
        live: LiveData,
        part: Sequence[Member],
        window: Window,
        coupons_used: CouponsUsed,
    ) -> Outcomes:
        histories = histories_now(bundle, live, [one.customer_id for one in part])
        days, amounts = _orders_within(histories, window)
        orders, spend = np.array([len(one) for one in days]), np.array([one.sum() for one in amounts]) / MINOR_UNITS
        first = np.array([one[0] if len(one) else 0 for one in amounts]) / MINOR_UNITS
        contacted = np.array([one.arm != ARMS[HELD_OUT] for one in part])
        redeemed = contacted & np.array([self._redeemed(one, coupons_used) for one in part]) & (orders > 0)
        discount = np.array([self.offers[one.offer].discount for one in part]) * redeemed
        fixed = np.array([self.offers[one.offer].cost for one in part]) * redeemed
        off = first * discount / (1 - discount)  # what was paid has the discount taken off already
        contact = np.array([self.contact_costs.get(one.channel or "", 0.0) for one in part])
        names, channels = list(self.offers), list(self.contact_costs)
        return Outcomes(
            arm=np.array([ARMS.index(one.arm) for one in part]),
            layer=np.array([LAYERS.index(one.layer) for one in part]),
            offer=np.array([names.index(one.offer) for one in part]),
            channel=np.array([channels.index(one.channel) if one.channel else 0 for one in part]),
            returned=orders > 0,
            orders=orders,
            spend=spend,
            profit=self.margin * (spend + off) - off - fixed - contact,
            cost=off + fixed + contact,
            days_to_return=np.array([one[0] - window.first if len(one) else 0 for one in days]),
            redeemed=redeemed,
            spend_before=np.array([float(one.details["spend_before"]) for one in part]),
        )

    def _redeemed(self, member: Member, coupons_used: CouponsUsed) -> bool:
        """Whether the code was used in time; an offer without a code is used by everybody who returns."""
        told = member.details.get("offer", {})
        if told.get("code") is None:
            return True
        used_on = coupons_used.get(member.customer_id, {}).get(told["code"])
        return used_on is not None and used_on.isoformat() <= told["valid_until"]


def _orders_within(histories: Histories, window: Window) -> tuple[list[Counts], list[Counts]]:
    """Days and amounts (minor units) of each customer's orders within the window."""
    days, amounts = [], []
    for begin, end in zip(histories.order_offsets[:-1], histories.order_offsets[1:], strict=True):
        day, amount = histories.order_day[begin:end], histories.order_amount[begin:end]
        within = (day >= window.first) & (day < window.end)
        days.append(day[within].astype(np.int64))
        amounts.append(amount[within].astype(np.int64))
    return days, amounts
