"""Value x risk: how many customers stand where, what they spent, and what to do about each group.

`layers` is the one function that knows how groups are made; whoever shows them takes what it returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from recsvc.domain.arrays import Vector

VALUES: Final = ("high value", "standard")
RISKS: Final = ("lapsed", "lost", "late", "due", "new", "active")  # the most urgent first
AT_STAKE: Final = "value_at_stake"
RARELY = 1e-6  # a smaller probability of return counts as this when money is divided by it
WIN_BACK, WARN = ("lapsed", "lost"), "late"
ADVICE: Final[Mapping[tuple[str, str], str]] = {
    ("high value", "lapsed"): "Win back now: a personal message with their own products",
    ("high value", "lost"): "Win back, best first; an offer to those who may stay away",
    ("high value", "late"): "Remind before they lapse; no discount yet",
    ("high value", "due"): "Remind of what is due; no discount",
    ("high value", "new"): "Help to a second order",
    ("high value", "active"): "Leave alone, and treat well",
    ("standard", "lapsed"): "Include in the next mailing; no costly offer",
    ("standard", "lost"): "Only by what costs nothing",
    ("standard", "late"): "A reminder, if it is free",
    ("standard", "due"): "Nothing yet",
    ("standard", "new"): "Welcome; help to a second order",
    ("standard", "active"): "Leave alone",
}


@dataclass(frozen=True, slots=True)
class Layer:
    """Customers of one value and one risk.

    Attributes
    ----------
    spent : currency units, on record so far
    expected : currency units, margin expected of them within the horizon, contacted by nobody
    at_stake : currency units, margin they would bring if they returned, times the chance that they stay away
    share : in [0, 1], their part of all that was spent
    is_urgent : whether a campaign begins here
    """

    value: str
    risk: str
    customers: int
    spent: float
    expected: float
    at_stake: float
    share: float
    advice: str
    is_urgent: bool


def layers(customers: pa.Table) -> list[Layer]:
    """Every combination of value and risk, the most urgent first; also those of nobody.

    Parameters
    ----------
    customers
        Columns of `customers.parquet`.
    """
    state = customers["state"].to_numpy(zero_copy_only=False)
    value = np.where(customers["high_value"].to_numpy(zero_copy_only=False), *VALUES)
    money = np.stack([customers["spend"], customers["expected_value_of_contact"], value_at_stake(customers)])
    total = float(money[0].sum()) or 1.0
    found = []
    for risk in RISKS:
        for worth in VALUES:
            who = (state == risk) & (value == worth)
            spent, expected, at_stake = map(float, money[:, who].sum(axis=1))
            sums = int(who.sum()), spent, expected, at_stake, max(spent / total, 0.0)
            found.append(Layer(worth, risk, *sums, ADVICE[worth, risk], worth == VALUES[0] and risk in WIN_BACK))
    return found


def value_at_stake(customers: pa.Table) -> Vector:
    """Margin of each customer's return that is expected to be lost; shape (n_customers,), currency units."""
    if AT_STAKE in customers.column_names:
        return np.asarray(customers[AT_STAKE].to_numpy(), np.float64)
    returns = np.maximum(customers["probability_of_return"].to_numpy(), RARELY)
    return np.asarray(customers["expected_value_of_contact"].to_numpy() * (1 - returns) / returns, np.float64)


def of(found: Sequence[Layer], value: str, *risks: str) -> list[Layer]:
    """The layers of one value at some risks."""
    return [one for one in found if one.value == value and one.risk in risks]
