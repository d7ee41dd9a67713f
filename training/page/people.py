"""Who is at the top of the lists: each customer's facts, why they matter, and what to show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from recsvc.serving.display import item_at
from recsvc.serving.recommender import Recommender
from recsvc.serving.rules import Rules
from training.page.reasons import named
from training.words import Money, counted, percent

SHOWN, PRODUCTS = 10, 3
RANK, WARNING = "win_back_rank", "early_warning_rank"
REASON = "likely_reason"
ANYWAY = 0.9  # P(return) from which a customer is likely to come without being asked
Row = Mapping[str, Any]  # of customers.parquet: values of several kinds


@dataclass(frozen=True, slots=True)
class Person:
    """One line of a list."""

    rank: int
    customer_id: str
    state: str
    high_value: bool
    silent: str
    spent: str
    returns: str
    expected: str
    comes_anyway: bool
    why: tuple[str, ...]
    products: tuple[str, ...]


def to_win_back(recommender: Recommender, money: Money) -> list[Person]:
    """The first customers of the win-back list."""
    return _first(recommender, _listed(recommender, RANK), RANK, money)


def may_stay_away(recommender: Recommender, money: Money) -> list[Person]:
    """The first of that list who are not likely to return unasked."""
    listed = _listed(recommender, RANK)
    return _first(recommender, listed.filter(pc.less(listed["probability_of_return"], ANYWAY)), RANK, money)


def to_warn(recommender: Recommender, money: Money) -> list[Person]:
    """The first customers of the early-warning list; nobody where training made none."""
    has_list = WARNING in recommender.bundle.customer_table.column_names
    return _first(recommender, _listed(recommender, WARNING), WARNING, money) if has_list else []


def _listed(recommender: Recommender, column: str) -> pa.Table:
    """Customers with a rank, in its order."""
    table: pa.Table = recommender.bundle.customer_table
    return table.filter(pc.is_valid(table[column])).sort_by(column)


def _first(recommender: Recommender, listed: pa.Table, column: str, money: Money) -> list[Person]:
    rows = listed.slice(0, SHOWN).to_pylist()
    products = _products(recommender, [row["customer_id"] for row in rows])
    whys = [_why(recommender, row) for row in rows]
    return [
        _person(row, row[column], money, *said)
        for row, said in zip(rows, zip(whys, products, strict=True), strict=True)
    ]


def _person(row: Row, rank: int, money: Money, why: tuple[str, ...], products: tuple[str, ...]) -> Person:
    returns = row["probability_of_return"]
    return Person(
        rank=rank,
        customer_id=row["customer_id"],
        state=row["state"],
        high_value=row["high_value"],
        silent=counted(row["days_since_last_purchase"], "day"),
        spent=money(row["spend"]),
        returns=percent(returns),
        expected=money(row["expected_value_of_contact"]),
        comes_anyway=returns >= ANYWAY,
        why=why,
        products=products,
    )


def _why(recommender: Recommender, row: Row) -> tuple[str, ...]:
    """The facts that put the customer on the list, in words, and what may have driven them away."""
    state = recommender.customer(row["customer_id"], now=recommender.as_of)
    reason = row.get(REASON)
    return (*(fact.text for fact in state.why), *([f"perhaps: {named(reason)}"] if reason else []))


def _products(recommender: Recommender, customer_ids: Sequence[str]) -> list[tuple[str, ...]]:
    """Titles of the first products of each customer's slate; ids where products have no title."""
    if not customer_ids:
        return []
    bundle = recommender.bundle
    histories, _ = bundle.customers.get_many(list(customer_ids))
    titles = {}
    for customer_id, rows in zip(histories.customer_ids, recommender.rank(histories, Rules(k=PRODUCTS)), strict=True):
        items = [item_at(bundle.catalogue, int(row)) for row in rows]
        titles[customer_id] = tuple(item.title or item.item_id for item in items)
    return [titles.get(customer_id, ()) for customer_id in customer_ids]
