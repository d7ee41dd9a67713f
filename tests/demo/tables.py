"""What the demonstration asks the service, and how it shows the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table

from tests.live_service import LiveService

CUSTOMERS = 10
PRODUCTS = 3
PAGE = 100


@dataclass(frozen=True, slots=True)
class LapsedCustomer:
    """A row of the win-back list with what to offer; both as the API sent them."""

    customer_id: str
    profile: dict[str, Any]  # Any: JSON
    items: list[dict[str, Any]]  # Any: JSON


def read_lapsed(live: LiveService) -> list[LapsedCustomer]:
    """First ten lapsed high-value customers of the win-back list, each with recommendations."""
    rows = _lapsed_high_value(live)
    asked = {"customer_ids": [row["customer_id"] for row in rows], "k": PRODUCTS}
    slates = live.post("/v1/recommendations", asked)["slates"] if rows else []
    return [
        LapsedCustomer(row["customer_id"], row["customer"], slate["items"])
        for row, slate in zip(rows, slates, strict=True)
    ]


def _lapsed_high_value(live: LiveService) -> list[dict[str, Any]]:  # Any: JSON
    found: list[dict[str, Any]] = []
    query: dict[str, str | int] = {"state": "lapsed", "limit": PAGE}
    while len(found) < CUSTOMERS:
        page = live.get("/v1/win-back", **query)
        found += [row for row in page["customers"] if row["customer"]["high_value"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    return found[:CUSTOMERS]


def customer_table(customers: list[LapsedCustomer]) -> Table:
    """Whom to win back, best first: state, value, and products with the first reason of each."""
    table = Table(title=f"Win back: the first {len(customers)} lapsed high-value customers", show_lines=True)
    table.caption = (
        "Rank is among all who are lapsed or lost; P(return) and expected spend are for the training horizon, "
        "not the effect of a contact."
    )
    for heading in ("rank", "customer", "state", "value"):
        table.add_column(heading, no_wrap=True)
    table.add_column("products, and why", ratio=1)
    for one in customers:
        rank = str(one.profile["win_back_rank"])
        table.add_row(rank, escape(one.customer_id), _state(one.profile), _value(one.profile), _products(one.items))
    return table


def _state(profile: dict[str, Any]) -> str:  # Any: JSON
    return (
        f"{profile['state']} since {profile['state_since']}\n"
        f"{profile['orders']} orders, silent {profile['days_since_last_purchase']} days\n"
        f"{escape(profile['segment'])}"
    )


def _value(profile: dict[str, Any]) -> str:  # Any: JSON
    return (
        f"spent {profile['spend']:,.2f} so far\n"
        f"P(return) {profile['probability_of_return']:.0%}\n"
        f"expected {profile['expected_value_of_contact']:,.2f}"
    )


def _products(items: list[dict[str, Any]]) -> str:  # Any: JSON
    return "\n".join(f"[bold]{escape(item['title'] or item['item_id'])}[/bold]: {_reason(item)}" for item in items)


def _reason(item: dict[str, Any]) -> str:  # Any: JSON
    return escape(item["reasons"][0]["text"]) if item["reasons"] else "no reason given"
