"""`customers.parquet`: one row a customer with every figure, the win-back list first, in order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from recsvc.domain.arrays import AnyArray, Counts, Vector
from recsvc.domain.lapse import STATES
from recsvc.domain.profiles import Profiles
from recsvc.domain.return_model import PAST_SPEND, RANK_AVERAGE
from recsvc.domain.segments import SEGMENTS
from training.orderings import candidate_scores, ranked

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
    """Collects figures batch by batch, then sorts them once, the win-back list by a shipped ordering."""

    def __init__(self, ordering: str) -> None:
        self._ordering = ordering
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
        """Win-back list first, then everybody else; ties by id."""
        score = np.full(len(self._ids), -np.inf)
        listed = columns["to_win_back"]
        score[listed] = worth(self._ordering, {name: column[listed] for name, column in columns.items()})
        return ranked(score, self._ids)


def worth(ordering: str, columns: dict[str, AnyArray]) -> Vector:
    """Score of the customers on the list by the shipped ordering; the highest comes first."""
    shown = columns["expected_value_of_contact"]
    if ordering not in (PAST_SPEND, RANK_AVERAGE) or not len(shown):
        return shown  # P(return) x value, of the return model or of BTYD
    btyd = columns["expected_purchases"] * columns["expected_average_value"]
    return candidate_scores(columns["spend"], btyd, shown)[ordering]


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
