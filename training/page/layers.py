"""Value x risk as the page shows it: the grid of `recsvc.domain.layers`, most urgent first, with its part of sales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from recsvc.domain import layers as grid
from recsvc.domain.arrays import AnyArray

HIGH: Final = "high"
RISKS: Final = ("lapsed", "lost", "slipping", "secure", "new")  # the most urgent first
WIN_BACK = ("lapsed", "lost")
URGENT: Final = tuple(f"{HIGH}_{risk}" for risk in WIN_BACK)
EXPECTED = "expected_value_of_contact"


@dataclass(frozen=True, slots=True)
class Layer:
    """Customers of one value and one risk.

    Attributes
    ----------
    spent : currency units, on record so far
    expected : currency units, margin expected of them within the horizon, contacted by nobody
    at_stake : currency units, what is expected to be lost of the horizon's usual spend
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
    """Every combination of value and risk, row by row of risk; also those of nobody.

    Parameters
    ----------
    customers
        Columns of `customers.parquet`.
    """
    rows = {row.name: row for row in grid.layers({name: _column(customers, name) for name in grid.COLUMNS})}
    names, expected = _column(customers, "layer"), _column(customers, EXPECTED)
    total = sum(row.spend for row in rows.values()) or 1.0
    ordered = [rows[f"{value}_{risk}"] for risk in RISKS for value in grid.VALUES]
    return [_layer(row, float(expected[names == row.name].sum()), total) for row in ordered]


def of(found: Sequence[Layer], value: str, *risks: str) -> list[Layer]:
    """The layers of one value at some risks."""
    return [one for one in found if one.value == value and one.risk in risks]


def _layer(row: grid.LayerRow, expected: float, total: float) -> Layer:
    return Layer(
        value=row.value,
        risk=row.risk,
        customers=row.customers,
        spent=row.spend,
        expected=expected,
        at_stake=row.value_at_stake,
        share=max(row.spend / total, 0.0),
        advice=row.action,
        is_urgent=row.value == HIGH and row.risk in WIN_BACK,
    )


def _column(customers: pa.Table, name: str) -> AnyArray:
    column: AnyArray = customers[name].to_numpy(zero_copy_only=False)
    return column
