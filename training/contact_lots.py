"""What past contacts teach: customers as they stood when lots decided who is contacted, and whether they returned.

A campaign counts whose contacts name somebody held out, and whose horizon has passed. Everything known of a customer is
cut at the day before the campaign's first message, as in `past_windows`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recsvc.domain.arrays import Mask
from recsvc.domain.history import Histories
from recsvc.domain.lapse import LapseThresholds
from recsvc.domain.offer_lifts import Counted, OfferLift, measured
from recsvc.domain.past_records import spend_between
from recsvc.domain.transactions import TransactionModel
from recsvc.serving.customer_state import moment_of
from recsvc.serving.uplift import Learned
from training.past_windows import window_at
from training.transactions import Recipe
from training.uplift import Lots, fit_uplift, is_beyond_chance

MAX_CAMPAIGNS = 12  # the latest


def learn_from_contacts(
    histories: Histories,
    contacts: pa.Table,
    thresholds: LapseThresholds,
    horizon_days: int,
    as_of_day: int,
    recipe: Recipe[TransactionModel],
) -> Learned | None:
    """What contacts add, by customer; None while lots have too few returns to say, or nothing beyond chance.

    Parameters
    ----------
    histories
        Records of a sample of customers.
    contacts
        customer_id, campaign_id, day (of the campaign's first message), held_out; one row a customer and campaign.
    """
    days, parts = [], []
    for day, held_out in _campaigns(histories, contacts, horizon_days, as_of_day):
        window = window_at(histories, thresholds, horizon_days, day, recipe)
        state = held_out[window.customer_row]
        there = state >= 0
        if there.any():
            days.append(day)
            parts.append(Lots(window.features[there], state[there] == 0, window.returned[there]))
    lots = _together(parts)
    if lots is None or not lots.are_enough:
        return None
    fit = fit_uplift(lots)
    if not is_beyond_chance(fit.qini[fit.name], lots):
        return None
    return Learned(
        model=fit.predict,
        qini=fit.qini,
        campaigns=len(parts),
        customers=len(lots.returned),
        returned=int(lots.returned.sum()),
        first_on=moment_of(min(days)).date().isoformat(),
        last_on=moment_of(max(days)).date().isoformat(),
    )


def offer_lifts(histories: Histories, contacts: pa.Table, horizon_days: int, as_of_day: int) -> dict[str, OfferLift]:
    """Lift of each offer that lots gave to somebody, against those held out of the same campaigns; by name."""
    frame = contacts.to_pandas()
    days = frame.groupby("campaign_id").day.min()
    counted = defaultdict(list)
    for campaign_id, day in days[days + horizon_days <= as_of_day].items():
        _, orders = spend_between(histories, int(day), int(day) + horizon_days)
        returned = dict(zip(histories.customer_ids, (orders > 0).tolist(), strict=True))
        members = frame[(frame.campaign_id == campaign_id) & frame.customer_id.isin(returned)]
        members = members.assign(returned=members.customer_id.map(returned))
        held_out = members[members.held_out]
        for offer, some in members[~members.held_out].groupby("offer_by_lot"):
            back = int(some.returned.sum()), int(held_out.returned.sum())
            counted[str(offer)].append(Counted(len(some), back[0], len(held_out), back[1]))
    found = {offer: measured(campaigns) for offer, campaigns in counted.items()}
    return {offer: lift for offer, lift in sorted(found.items()) if lift is not None}


def _campaigns(
    histories: Histories, contacts: pa.Table, horizon_days: int, as_of_day: int
) -> Iterator[tuple[int, NDArray[np.int8]]]:
    """Day of each campaign that can teach, the latest first, and of each record 1 held out, 0 contacted, -1 neither."""
    frame = contacts.to_pandas()
    position = {customer_id: row for row, customer_id in enumerate(histories.customer_ids)}
    frame = frame.assign(row=frame.customer_id.map(position)).dropna(subset=["row"])
    first = int(histories.order_day.min()) + max(horizon_days // 2, 1)
    days = frame.groupby("campaign_id").day.min().sort_values(ascending=False)
    teaching = days[(days + horizon_days <= as_of_day) & (days >= first)].head(MAX_CAMPAIGNS)
    for campaign_id, day in teaching.items():
        members = frame[frame.campaign_id == campaign_id]
        if not members.held_out.any() or members.held_out.all():
            continue
        state = np.full(len(histories), -1, np.int8)
        state[members.row.to_numpy(np.int64)] = members.held_out.to_numpy(np.int8)
        yield int(day), state


def _together(parts: list[Lots]) -> Lots | None:
    if not parts:
        return None
    seen = np.concatenate([one.seen for one in parts])
    contacted: Mask = np.concatenate([one.is_contacted for one in parts])
    return Lots(seen, contacted, np.concatenate([one.returned for one in parts]))
