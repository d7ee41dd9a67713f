"""Who is at the top of the lists: each customer's facts, why they matter, and what to show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from recsvc.domain.layers import LABELS
from recsvc.serving.display import item_at
from recsvc.serving.recommender import Recommender
from recsvc.serving.rules import Rules
from training.page.layers import URGENT
from training.page.reasons import named
from training.words import Money, counted

SHOWN, PRODUCTS, CONSIDERED = 10, 3, 10
RANK, WARNING = "win_back_rank", "early_warning_rank"
REASON, STAKE = "likely_reason", "value_at_stake"
ANYWAY = 0.9  # P(return) from which a customer is likely to come without being asked
TITLE = 40  # characters of a product's title
Row = Mapping[str, Any]  # of customers.parquet: values of several kinds


@dataclass(frozen=True, slots=True)
class Person:
    """One line of a list."""

    rank: int
    customer_id: str
    stands: str
    silent: str
    spent: str
    returns: str
    expected: str
    at_stake: str
    comes_anyway: bool
    why: tuple[str, ...]
    products: tuple[str, ...]


def to_win_back(recommender: Recommender, money: Money) -> list[Person]:
    """Customers of high value who have lapsed or are lost, most at stake first: where a campaign begins."""
    return _first(recommender, _urgent(recommender).sort_by([(STAKE, "descending"), (RANK, "ascending")]), money)


def others_to_win_back(recommender: Recommender, money: Money) -> list[Person]:
    """The first of the win-back list who are not among those, in its order."""
    listed, urgent = _listed(recommender, RANK), _urgent(recommender)["customer_id"]
    return _first(recommender, listed.filter(pc.invert(pc.is_in(listed["customer_id"], value_set=urgent))), money)


def to_warn(recommender: Recommender, money: Money) -> list[Person]:
    """The first customers of the early-warning list; nobody where training made none."""
    has_list = WARNING in recommender.bundle.customer_table.column_names
    return _first(recommender, _listed(recommender, WARNING), money) if has_list else []


def _urgent(recommender: Recommender) -> pa.Table:
    listed = _listed(recommender, RANK)
    return listed.filter(pc.is_in(listed["layer"], value_set=pa.array(URGENT)))


def _listed(recommender: Recommender, column: str) -> pa.Table:
    """Customers with a rank, in its order."""
    table: pa.Table = recommender.bundle.customer_table
    return table.filter(pc.is_valid(table[column])).sort_by(column)


def _first(recommender: Recommender, listed: pa.Table, money: Money) -> list[Person]:
    rows = listed.slice(0, SHOWN).to_pylist()
    products = _products(recommender, [row["customer_id"] for row in rows])
    whys = [_why(recommender, row) for row in rows]
    said = zip(rows, whys, products, strict=True)
    return [_person(rank, row, money, why, shown) for rank, (row, why, shown) in enumerate(said, 1)]


def _person(rank: int, row: Row, money: Money, why: tuple[str, ...], products: tuple[str, ...]) -> Person:
    returns = row["probability_of_return"]
    return Person(
        rank=rank,
        customer_id=row["customer_id"],
        stands=LABELS[row["layer"]],
        silent=counted(row["days_since_last_purchase"], "day"),
        spent=money(row["spend"]),
        returns=f"{100 * returns:.1f} %",
        expected=money(row["expected_value_of_contact"]),
        at_stake=money(row[STAKE]),
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
    """Titles of the first products of each customer's slate, each once; ids where products have no title.

    None of a sensitive category: the page is passed around.
    """
    if not customer_ids:
        return []
    bundle = recommender.bundle
    histories, _ = bundle.customers.get_many(list(customer_ids))
    titles = {}
    for customer_id, rows in zip(histories.customer_ids, recommender.rank(histories, Rules(k=CONSIDERED)), strict=True):
        items = [item_at(bundle.catalogue, int(row)) for row in rows if recommender.nameable[row]]
        titles[customer_id] = tuple(dict.fromkeys(readable(item.title or item.item_id) for item in items))[:PRODUCTS]
    return [titles.get(customer_id, ()) for customer_id in customer_ids]


def readable(title: str) -> str:
    """Title as a person would write it, not longer than fits.

    Examples
    --------
    >>> readable("FLUID MILK WHITE ONLY  1 GA"), readable("iPhone case"), readable("x" * 50)[-3:]
    ('Fluid milk white only 1 ga', 'iPhone case', 'xx…')
    """
    words = " ".join(title.split())
    shown = words.capitalize() if words.isupper() else words
    return shown if len(shown) <= TITLE else f"{shown[: TITLE - 1].rstrip()}…"
