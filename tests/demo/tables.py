"""What the demonstration asks the service, and how it shows the answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table

from recsvc.domain.layers import LayerRow
from tests.live_service import LiveService

CUSTOMERS = 10
WARNED = 5
PRODUCTS = 3
PAGE = 100


@dataclass(frozen=True, slots=True)
class ListedCustomer:
    """A row of the win-back list with what to offer; both as the API sent them."""

    customer_id: str
    profile: dict[str, Any]  # Any: JSON
    items: list[dict[str, Any]]  # Any: JSON


def read_win_back(live: LiveService) -> list[ListedCustomer]:
    """First ten high-value customers of the win-back list, each with recommendations."""
    rows = _high_value(live)
    asked = {"customer_ids": [row["customer_id"] for row in rows], "k": PRODUCTS}
    slates = live.post("/v1/recommendations", asked)["slates"] if rows else []
    return [
        ListedCustomer(row["customer_id"], row["customer"], slate["items"])
        for row, slate in zip(rows, slates, strict=True)
    ]


def read_early_warning(live: LiveService) -> list[dict[str, Any]]:  # Any: JSON
    """First rows of the early warning list."""
    found: list[dict[str, Any]] = live.get("/v1/early-warning", limit=WARNED)["customers"]
    return found


def _high_value(live: LiveService) -> list[dict[str, Any]]:  # Any: JSON
    found: list[dict[str, Any]] = []
    query: dict[str, str | int] = {"limit": PAGE}
    while len(found) < CUSTOMERS:
        page = live.get("/v1/win-back", **query)
        found += [row for row in page["customers"] if row["customer"]["high_value"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    return found[:CUSTOMERS]


def customer_table(customers: list[ListedCustomer]) -> Table:
    """Whom to win back, best first: state, value, why, and products with the first reason of each."""
    table = Table(title=f"Win back: the first {len(customers)} high-value customers", show_lines=True)
    table.caption = (
        "Rank is among all on the win-back list; P(return) and expected spend are for the training horizon, "
        "not the effect of a contact."
    )
    for heading in ("rank", "customer", "state", "value"):
        table.add_column(heading, no_wrap=True)
    table.add_column("why this customer", ratio=2)
    table.add_column("products, and why", ratio=3)
    for one in customers:
        who = (str(one.profile["win_back_rank"]), escape(one.customer_id), _state(one.profile), _value(one.profile))
        table.add_row(*who, _why(one.profile), _products(one.items))
    return table


def warning_table(rows: list[dict[str, Any]]) -> Table:  # Any: JSON
    """Which valuable customers are slipping, most at stake first."""
    table = Table(title=f"Early warning: the first {len(rows)} valuable customers who are slipping", show_lines=True)
    for heading in ("rank", "customer", "silent for", "at stake", "next order expected"):
        table.add_column(heading, no_wrap=True)
    table.add_column("why", ratio=1)
    for row in rows:
        profile = row["customer"]
        rank, stake = str(profile["early_warning_rank"]), f"{profile['value_at_stake']:,.2f}"
        expected = profile["next_order_on"] or "not on their rhythm"
        table.add_row(
            rank,
            escape(row["customer_id"]),
            f"{profile['days_since_last_purchase']} days",
            stake,
            expected,
            _why(profile),
        )
    return table


def layer_table(rows: Iterable[LayerRow]) -> Table:
    """Layers of value x risk with their customers and money, and what to do; empty ones are left out."""
    table = Table(title="Who the customers are, and what to do")
    table.add_column("layer")
    for heading in ("customers", "spent so far", "stays away", "at stake"):
        table.add_column(heading, justify="right")
    table.add_column("what to do", ratio=1)
    for row in rows:
        if row.churn_probability is not None:
            money, churn = (f"{row.spend:,.0f}", f"{row.value_at_stake:,.0f}"), f"{row.churn_probability:.0%}"
            table.add_row(row.label, f"{row.customers:,}", money[0], churn, money[1], row.action)
    return table


def _why(profile: dict[str, Any]) -> str:  # Any: JSON
    return escape("\n".join(fact["text"] for fact in profile["why"]))


def _state(profile: dict[str, Any]) -> str:  # Any: JSON
    return (
        f"{profile['state']} since {profile['state_since']}\n"
        f"{profile['orders']} orders, silent {profile['days_since_last_purchase']} days\n"
        f"{escape(profile['layer_label'])}"
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
