"""`customers.parquet`: one row a customer with every figure, the win-back list first, in order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from recsvc.domain.arrays import AnyArray, Counts
from recsvc.domain.lapse import STATES
from recsvc.domain.profiles import Profiles
from recsvc.domain.segments import SEGMENTS

FIGURES = (
    "probability_alive",
    "probability_of_return",
    "expected_purchases",
    "expected_average_value",
    "clv",
    "expected_value_of_contact",
)
COUNTS = ("orders", "days_since_last_purchase")
MINOR_UNITS = 100


class CustomerTable:
    """Collects figures batch by batch, then sorts them once."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._parts: list[dict[str, AnyArray]] = []

    def add(self, customer_ids: tuple[str, ...], figures: Profiles) -> None:
        """Take the figures of a batch."""
        self._ids.extend(customer_ids)
        self._parts.append(
            {**_lapse_columns(figures), **{name: getattr(figures, name) for name in (*COUNTS, *FIGURES)}}
        )

    def win_back_ids(self) -> list[str]:
        """Ids of the customers to win back, most worth contacting first; ties by id."""
        columns = self._columns()
        return [self._ids[row] for row in self._order(columns)[: int(columns["to_win_back"].sum())]]

    def to_arrow(self) -> pa.Table:
        """Return the sorted table; `win_back_rank` is null for customers who are not on the list."""
        columns = self._columns()
        order, listed = self._order(columns), int(columns.pop("to_win_back").sum())
        rank = np.arange(1, len(order) + 1, dtype=np.int32)
        table = {"customer_id": pa.array(self._ids).take(pa.array(order))}
        for name, column in columns.items():
            table[name] = _arrow(name, column[order])
        table["next_state_on"] = pa.array(
            columns["next_state_on"][order].astype("datetime64[D]"), mask=~columns["has_next"][order]
        )
        del table["has_next"]
        table["win_back_rank"] = pa.array(rank, mask=rank > listed)
        return pa.table(table)

    def _columns(self) -> dict[str, AnyArray]:
        return {name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]}

    def _order(self, columns: dict[str, AnyArray]) -> Counts:
        """Win-back list by expected value of contact, then everybody else; ties by id."""
        by_id = np.empty(len(self._ids), np.int64)
        by_id[sorted(range(len(self._ids)), key=self._ids.__getitem__)] = np.arange(len(self._ids))
        worth = np.where(columns["to_win_back"], columns["expected_value_of_contact"], -np.inf)
        return np.lexsort((by_id, -worth))


def _lapse_columns(figures: Profiles) -> dict[str, AnyArray]:
    return {
        "to_win_back": figures.to_win_back(),
        "state": figures.lapse.state,
        "state_since": figures.lapse.since_day,
        "has_next": figures.lapse.has_next,
        "next_state_on": figures.lapse.next_day,
        "high_value": figures.high_value,
        "segment": figures.segment,
        "spend": figures.spend / MINOR_UNITS,
    }


def _arrow(name: str, column: AnyArray) -> pa.Array:
    names = {"state": STATES, "segment": SEGMENTS}.get(name)
    if names is not None:
        return pa.array(np.array(names, dtype=object)[column], pa.string())
    return pa.array(column.astype("datetime64[D]")) if name == "state_since" else pa.array(column)
