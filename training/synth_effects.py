"""Campaigns in a synthetic shop whose effect is known: lots decide who is contacted, and some come back because of it.

Everybody silent for a while is in each campaign. Persuadables have ordered often and not been away for long: contacted,
many order once more, and would not have otherwise. Sleeping dogs ordered once or twice: contacted, many stay away who
would have come. Nobody else minds (Radcliffe & Surry 1999). Kinds show in what is on record, so they can be learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from training.synth_orders import FIRST_DAY
from training.synth_shop import WINDOW_DAYS

EVERY_DAYS, LAST_BEFORE_END_DAYS, FIRST_AFTER_DAYS = 45, 60, 240
SILENT_DAYS, LATELY_DAYS, OFTEN, RARELY = 30, 120, 4, 2
HELD_OUT, WON, PUT_OFF = 0.3, 0.4, 0.6  # shares
ANSWER_DAYS, PUT_OFF_DAYS = 30, 60
PERSUADABLE, SLEEPING_DOG, OTHER = "persuadable", "sleeping dog", "other"


@dataclass(frozen=True, slots=True)
class Affected:
    """Orders after campaigns, the contacts and hold-outs, and what each of these is by nature.

    Attributes
    ----------
    orders : columns as `synth_orders.draw_group` makes them
    contacts : customer_id, campaign_id, channel, sent_at, held_out
    truth : customer_id, campaign_id, kind, and `uplift`, what a contact adds to the chance of a return in 60 days
    """

    orders: pa.Table
    contacts: pa.Table
    truth: pa.Table


def campaign_days() -> list[int]:
    """Days of the campaigns, counted from the shop's first."""
    return list(range(FIRST_AFTER_DAYS, WINDOW_DAYS - LAST_BEFORE_END_DAYS + 1, EVERY_DAYS))


def with_campaigns(orders: pa.Table, rng: np.random.Generator) -> Affected:
    """Run all campaigns over the orders of a group of customers, one after the other."""
    lines = orders.to_pandas().astype({"customer_id": str, "item_id": str})
    contacts, truths = [], []
    for number, day in enumerate(campaign_days()):
        at = pd.Timestamp(FIRST_DAY) + pd.Timedelta(days=day, hours=10)
        members = _members(lines, at, rng)
        members = members.assign(campaign_id=f"K{number:02}", sent_at=at)
        lines = _after(lines, members, number, at, rng)
        contacts.append(
            members.assign(channel="email")[["customer_id", "campaign_id", "channel", "sent_at", "held_out"]]
        )
        truths.append(members[["customer_id", "campaign_id", "kind", "uplift"]])
    lines = lines.sort_values(["customer_id", "ordered_at", "order_id", "item_id"], kind="stable")
    return Affected(*(_table(frame) for frame in (lines, pd.concat(contacts), pd.concat(truths))))


def _members(lines: pd.DataFrame, at: pd.Timestamp, rng: np.random.Generator) -> pd.DataFrame:
    """Everybody who has ordered and been silent for a while, with their kind, their lot and what a contact adds."""
    bought = lines[lines.quantity > 0]
    past = bought[bought.ordered_at < at].groupby("customer_id")
    found = pd.DataFrame({"orders": past.order_id.nunique(), "last": past.ordered_at.max()}).reset_index()
    found["silent"] = (at - found["last"]).dt.days
    found = found[found.silent >= SILENT_DAYS].sort_values("customer_id")
    until = at + pd.Timedelta(days=PUT_OFF_DAYS)
    comes = set(bought[(bought.ordered_at >= at) & (bought.ordered_at < until)].customer_id)
    found["comes"] = found.customer_id.isin(comes)
    often = (found.orders >= OFTEN) & (found.silent <= LATELY_DAYS)
    found["kind"] = np.where(often, PERSUADABLE, np.where(found.orders <= RARELY, SLEEPING_DOG, OTHER))
    rate = found.groupby("kind").comes.transform("mean")
    effects = {PERSUADABLE: WON * (1 - rate), SLEEPING_DOG: -PUT_OFF * rate, OTHER: 0.0 * rate}
    found["uplift"] = np.select([found.kind == kind for kind in effects], list(effects.values()))
    found["held_out"] = rng.random(len(found)) < HELD_OUT
    found["dice"] = rng.random(len(found))
    return found


def _after(
    lines: pd.DataFrame, members: pd.DataFrame, number: int, at: pd.Timestamp, rng: np.random.Generator
) -> pd.DataFrame:
    """Orders as they are after a campaign: some more of persuadables, some fewer of sleeping dogs."""
    contacted = members[~members.held_out]
    won = contacted[(contacted.kind == PERSUADABLE) & ~contacted.comes & (contacted.dice < WON)]
    put_off = contacted[(contacted.kind == SLEEPING_DOG) & contacted.comes & (contacted.dice < PUT_OFF)]
    until = at + pd.Timedelta(days=PUT_OFF_DAYS)
    gone = lines.customer_id.isin(put_off.customer_id) & (lines.ordered_at >= at) & (lines.ordered_at < until)
    return pd.concat([lines[~gone], _again(lines, won, number, at, rng)], ignore_index=True)


def _again(
    lines: pd.DataFrame, won: pd.DataFrame, number: int, at: pd.Timestamp, rng: np.random.Generator
) -> pd.DataFrame:
    """The last order of each, once more within a month."""
    last = lines.merge(won[["customer_id", "last"]], on="customer_id")
    last = last[(last.ordered_at == last["last"]) & (last.quantity > 0)].drop(columns="last")
    later = pd.Series(rng.integers(1, ANSWER_DAYS, len(won)), index=won.customer_id)
    days = pd.to_timedelta(last.customer_id.map(later).astype("int64"), unit="D")
    return last.assign(order_id=last.order_id + f"K{number:02}", ordered_at=at + days)


def _table(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
