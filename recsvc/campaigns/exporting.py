"""A launched campaign as a table for whoever sends: one row a customer, in the columns common tools import.

The same store gives the same rows, under the same message ids, however often they are asked for. Whoever did something
since the launch that speaks against a message is left out and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal

import pyarrow as pa

from recsvc.campaigns.campaign_file import Campaign, campaign_of
from recsvc.campaigns.gathering import EVERY_CHANNEL, ContactFacts
from recsvc.campaigns.planning import ARMS, HELD_OUT
from recsvc.store.campaigns import Launch, Member

Preset = Literal["plain", "mailchimp", "klaviyo", "braze"]
PRESETS: Final[tuple[Preset, ...]] = ("plain", "mailchimp", "klaviyo", "braze")
FORMULA = re.compile(r"^[=+\-@\t\r\n|%]")
MESSAGE = ("message_id", "campaign_id", "customer_id", "channel", "send_at", "layer")
OFFER = ("offer", "offer_text", "code", "valid_until", "eligible_item_ids")
PRODUCT = ("item_id", "title", "price", "url", "image_url", "reason", "block")
IDS = ("message_id", "customer_id", "code", "external_id", "EXTERNALID", "CODE")  # an id that is changed finds nobody


class Gate:
    """Lets through whom a message goes to, and counts the others by reason in `left_out`.

    Parameters
    ----------
    since
        What speaks against a message since the launch.
    channel
        The only one that is asked for; None for all.
    """

    def __init__(self, since: ContactFacts, channel: str | None) -> None:
        self._since, self._channel = since, channel
        self.left_out: Counter[str] = Counter()

    def __call__(self, member: Member) -> bool:
        """Whether a member is sent their message, on the channel that was asked for."""
        reason = self._reason_against(member)
        self.left_out.update([reason] if reason else [])
        return reason is None

    def _reason_against(self, member: Member) -> str | None:
        if member.arm == ARMS[HELD_OUT]:
            return "held_out"
        if self._channel is not None and member.channel != self._channel:
            return "other_channel"
        if self._has_unsubscribed(member):
            return "unsubscribed"
        if member.customer_id in self._since.complained:
            return "complained"
        return "bought_since" if member.customer_id in self._since.bought else None

    def _has_unsubscribed(self, member: Member) -> bool:
        gone = self._since.unsubscribed
        return any(member.customer_id in gone.get(one, ()) for one in (EVERY_CHANNEL, str(member.channel)))


def plain_row(launch: Launch, member: Member) -> dict[str, Any]:  # Any: JSON values
    """One customer's message, flat, under the names of `plain_columns`."""
    told, shown = member.details["offer"], member.details["products"]
    row = {
        "message_id": member.slate_id,
        "campaign_id": launch.name,
        "customer_id": member.customer_id,
        "channel": member.channel,
        "send_at": member.send_at and member.send_at.isoformat(),
        "layer": member.layer,
        "offer": member.offer,
        "offer_text": told["text"],
        "code": told["code"],
        "valid_until": told["valid_until"],
        "eligible_item_ids": " ".join(told["eligible_item_ids"]),
        "text": member.details["text"],
    }
    for place, product in enumerate(shown, 1):
        row |= {f"product_{place}_{name}": product[name] for name in PRODUCT}
    return row


def plain_columns(campaign: Campaign) -> list[str]:
    """Names of the columns of an export, in their order."""
    places = range(1, campaign.products + 1)
    return [*MESSAGE, *OFFER, "text", *(f"product_{place}_{name}" for place in places for name in PRODUCT)]


def schema_of(campaign: Campaign, preset: Preset) -> pa.Schema:
    """Columns of an export: prices are numbers, everything else is text."""
    kinds = {name: pa.float64() if name.endswith("_price") else pa.string() for name in plain_columns(campaign)}
    return pa.schema([(rename(name, preset), kind) for name, kind in kinds.items()])


def rename(name: str, preset: Preset) -> str:
    """Name of a column as a tool imports it.

    Braze and Klaviyo find people by `external_id`; Mailchimp's merge tags have at most 10 characters.

    Examples
    --------
    >>> rename("product_1_image_url", "mailchimp"), rename("customer_id", "braze"), rename("code", "plain")
    ('P1IMAGE', 'external_id', 'code')
    """
    if preset == "plain":
        return name
    if preset == "mailchimp":
        return MERGE_TAGS.get(name) or _merge_tag_of_product(name)
    return "external_id" if name == "customer_id" else name


MERGE_TAGS: Final = {
    "message_id": "MESSAGEID",
    "campaign_id": "CAMPAIGN",
    "customer_id": "EXTERNALID",
    "channel": "CHANNEL",
    "send_at": "SENDAT",
    "layer": "LAYER",
    "offer": "OFFER",
    "offer_text": "OFFERTEXT",
    "code": "CODE",
    "valid_until": "VALIDUNTIL",
    "eligible_item_ids": "ELIGIBLE",
    "text": "TEXT",
}
PRODUCT_TAGS: Final = {"item_id": "ID", "image_url": "IMAGE"}


def _merge_tag_of_product(name: str) -> str:
    _, place, what = name.split("_", 2)
    return f"P{place}{PRODUCT_TAGS.get(what, what.upper())}"


def without_formulas(table: pa.Table) -> pa.Table:
    """The same with an apostrophe before text that a spreadsheet would run; ids and codes stay as they are.

    References
    ----------
    OWASP, CSV Injection
    """
    columns = {
        name: _defused(table[name])
        if name not in IDS and pa.types.is_string(table.schema.field(name).type)
        else table[name]
        for name in table.column_names
    }
    return pa.table(columns, schema=table.schema)


def _defused(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([f"'{one}" if one and FORMULA.match(one) else one for one in column.to_pylist()], pa.string())


def tables(launch: Launch, parts: Iterable[Sequence[Member]], gate: Gate, preset: Preset) -> Iterator[pa.Table]:
    """Rows of an export, a part of the members at a time."""
    campaign = campaign_of(launch)
    names, schema = plain_columns(campaign), schema_of(campaign, preset)
    for part in parts:
        rows = [plain_row(launch, member) for member in part if gate(member)]
        yield pa.table([[row.get(name) for row in rows] for name in names], schema=schema)
