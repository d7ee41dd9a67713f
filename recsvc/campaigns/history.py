"""Launched campaigns as a table of contacts, in the columns that training reads: whom lots had contacted, whom not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa

from recsvc.campaigns.campaign_file import campaign_of
from recsvc.campaigns.planning import ARMS, EXPLORED, HELD_OUT
from recsvc.store.campaigns import CampaignStore, Launch, Member

CONTACTS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("campaign_id", pa.string()),
        ("channel", pa.string()),
        ("sent_at", pa.string()),
        ("cost", pa.float64()),
        ("held_out", pa.bool_()),
        ("offer_by_lot", pa.string()),
    ]
)


def contact_tables(store: CampaignStore) -> Iterator[pa.Table]:
    """Rows of every launched campaign, a part of its members at a time; who is held out has its first day."""
    for launch in store.all():
        costs = campaign_of(launch).channels
        for part in store.members(launch.name):
            yield pa.Table.from_pylist([_row(launch, member, costs) for member in part], CONTACTS)


def _row(launch: Launch, member: Member, costs: Mapping[str, float]) -> dict[str, object]:
    held_out = member.arm == ARMS[HELD_OUT]
    return {
        "customer_id": member.customer_id,
        "campaign_id": launch.name,
        "channel": member.channel,
        "sent_at": (member.send_at or launch.starts_at).isoformat(),
        "cost": costs.get(member.channel or "", 0.0),
        "held_out": held_out,
        "offer_by_lot": member.offer if member.arm == ARMS[EXPLORED] else None,
    }
