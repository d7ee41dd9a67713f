"""`customers.parquet`: one row a customer with every figure, the win-back list first, then the early warning list."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from recsvc.domain.arrays import AnyArray, Counts, Mask, Vector
from recsvc.domain.lapse import STATES
from recsvc.domain.layers import LAYERS
from recsvc.domain.outlook import NextOrder
from recsvc.domain.preferences import FAVOURITES, PRICE_LEVELS, Preferences, price_levels
from recsvc.domain.profiles import Profiles
from recsvc.domain.return_model import PAST_SPEND
from recsvc.domain.segments import SEGMENTS
from recsvc.domain.standing import Standing
from training.orderings import ranked
from training.standing import fit_standing

NAMES: Mapping[str, tuple[str, ...]] = {
    "state": STATES,
    "segment": SEGMENTS,
    "layer": LAYERS,
    "price_level": PRICE_LEVELS,
}
COUNTS = ("orders", "days_since_last_purchase")
FIGURES = (
    "spend_per_year",
    "expected_average_value",
    "clv",
    "probability_alive",
    "probability_of_return",
    "churn_probability",
    "expected_purchases",
    "expected_value_of_contact",
    "value_at_stake",
)
NEXT_ORDER = ("next_order_earliest", "next_order_on", "next_order_latest")
CATEGORIES = tuple(f"favourite_category_{place}" for place in range(1, FAVOURITES + 1))
MINOR_UNITS = 100


class CustomerTable:
    """Collects figures batch by batch, then sorts them once, the win-back list by a shipped ordering.

    Parameters
    ----------
    ordering
        One of `return_model.ORDERINGS`.
    categories
        Names that the favourite categories point into.
    unlisted
        Ids of customers who may be on no list: they want no personalisation.
    """

    def __init__(self, ordering: str, categories: tuple[str, ...], unlisted: frozenset[str] = frozenset()) -> None:
        self._ordering, self._categories, self._unlisted = ordering, categories, unlisted
        self._ids: list[str] = []
        self._parts: list[dict[str, AnyArray]] = []

    def add(self, customer_ids: tuple[str, ...], figures: Profiles, expected: NextOrder, liked: Preferences) -> None:
        """Take the figures of a batch."""
        self._ids.extend(customer_ids)
        self._parts.append(
            {
                **self._lists(customer_ids, figures),
                **_standing_columns(figures),
                **{name: getattr(figures, name) for name in (*COUNTS, *FIGURES)},
                **_day_columns(figures, expected),
                **_liked_columns(liked),
            }
        )

    def win_back_ids(self) -> list[str]:
        """Ids of the customers to win back, most worth contacting first; ties by id."""
        columns = self._columns()
        return self._first(columns, int(columns["to_win_back"].sum()))

    def early_warning_ids(self) -> list[str]:
        """Ids of the valuable customers who are slipping, most at stake first; ties by id."""
        columns = self._columns()
        listed = int(columns["to_win_back"].sum())
        return self._first(columns, listed + int(columns["to_warn_of"].sum()))[listed:]

    def standing(self) -> Standing:
        """How figures spread over all customers."""
        columns = self._columns()
        known = columns["has_price"]
        shown = {name: columns[name] for name in ("spend", "spend_per_year", "items_per_order")}
        return fit_standing({**shown, "price_position": columns["price_position"][known]})

    def to_arrow(self, standing: Standing) -> pa.Table:
        """Return the sorted table; what is not known of a customer is null."""
        columns = self._columns()
        order = self._order(columns)
        columns = {name: column[order] for name, column in columns.items()}
        columns["price_level"] = price_levels(columns["price_position"], standing)
        table = {"customer_id": pa.array(self._ids).take(pa.array(order)), **_ranks(columns)}
        for name in ("state", "state_since", "next_state_on", "segment", "layer", "high_value", *COUNTS, "spend"):
            table[name] = _arrow(name, columns)
        for name in (*FIGURES, *NEXT_ORDER):
            table[name] = _arrow(name, columns)
        table |= {name: self._category(name, columns) for name in CATEGORIES}
        return pa.table(table | {name: _arrow(name, columns) for name in ("price_level", "price_position")})

    def _lists(self, customer_ids: tuple[str, ...], figures: Profiles) -> dict[str, AnyArray]:
        may_be = np.array([one not in self._unlisted for one in customer_ids], bool)
        return {"to_win_back": figures.to_win_back() & may_be, "to_warn_of": figures.to_warn_of() & may_be}

    def _columns(self) -> dict[str, AnyArray]:
        return {name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]}

    def _first(self, columns: dict[str, AnyArray], count: int) -> list[str]:
        return [self._ids[row] for row in self._order(columns)[:count]]

    def _order(self, columns: dict[str, AnyArray]) -> Counts:
        """Win-back list first, then the early warning list, then everybody else; ties by id."""
        to_win_back, to_warn_of = columns["to_win_back"], columns["to_warn_of"]
        score = np.zeros(len(self._ids))
        score[to_win_back] = worth(self._ordering, {name: column[to_win_back] for name, column in columns.items()})
        score[to_warn_of] = columns["value_at_stake"][to_warn_of]
        by_score = ranked(score, self._ids)
        group = np.where(to_win_back, 0, np.where(to_warn_of, 1, 2))[by_score]
        return by_score[np.argsort(group, kind="stable")]

    def _category(self, name: str, columns: dict[str, AnyArray]) -> pa.Array:
        names = np.array([*self._categories, ""], dtype=object)
        is_known = columns["n_categories"] >= int(name[-1])
        return pa.array(names[np.where(is_known, columns[name], len(self._categories))], pa.string(), mask=~is_known)


def worth(ordering: str, columns: dict[str, AnyArray]) -> Vector:
    """Score of the customers on the list by the shipped ordering; the highest comes first."""
    return columns["spend" if ordering == PAST_SPEND else "expected_value_of_contact"]


def _standing_columns(figures: Profiles) -> dict[str, AnyArray]:
    return {
        "state": figures.lapse.state,
        "segment": figures.segment,
        "layer": figures.layer,
        "high_value": figures.high_value,
        "spend": figures.spend / MINOR_UNITS,
        "items_per_order": figures.facts.items_per_order,
    }


def _day_columns(figures: Profiles, expected: NextOrder) -> dict[str, AnyArray]:
    """Days, and for those that may be missing a mask named after them."""
    days = dict(zip(NEXT_ORDER, expected.day.T, strict=True))
    known = {f"has_{name}": column for name, column in zip(NEXT_ORDER, expected.is_known.T, strict=True)}
    lapse = {"state_since": figures.lapse.since_day, "next_state_on": figures.lapse.next_day}
    return {**lapse, **days, **known, "has_next_state_on": figures.lapse.has_next}


def _liked_columns(liked: Preferences) -> dict[str, AnyArray]:
    columns: dict[str, AnyArray] = dict(zip(CATEGORIES, liked.categories.T, strict=True))
    prices = {"price_position": liked.price_position, "has_price": liked.has_price}
    return {**columns, **prices, "n_categories": liked.n_categories}


def _ranks(columns: dict[str, AnyArray]) -> dict[str, pa.Array]:
    """Places on the two lists of customers who are sorted by them."""
    lists = {"win_back_rank": columns["to_win_back"], "early_warning_rank": columns["to_warn_of"]}
    return {name: pa.array(np.cumsum(listed, dtype=np.int32), mask=~listed) for name, listed in lists.items()}


def _arrow(name: str, columns: dict[str, AnyArray]) -> pa.Array:
    column, mask = columns[name], _unknown(name, columns)
    if name in NAMES:
        return pa.array(np.array(NAMES[name], dtype=object)[column], pa.string(), mask=mask)
    is_day = name in (*NEXT_ORDER, "state_since", "next_state_on")
    return pa.array(column.astype("datetime64[D]") if is_day else column, mask=mask)


def _unknown(name: str, columns: dict[str, AnyArray]) -> Mask | None:
    known = columns.get("has_price" if name.startswith("price_") else f"has_{name}")
    return None if known is None else ~known
