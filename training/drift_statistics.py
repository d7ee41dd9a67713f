"""What a bundle remembers of its data, so that the next training can say what moved: sums and histograms, no rows.

`Snapshot` is what one training sees of the horizon before its `as_of`; `DriftStatistics` is the part that is written
to `drift.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from pydantic import TypeAdapter

from recsvc.domain.arrays import Vector
from recsvc.domain.rfm import MINOR_UNITS
from training.drift_maths import Histogram, histogram
from training.tables import Prepared

DRIFT = "drift.json"
NO_CATEGORY, OTHER = "no category", "all others"
MAX_CATEGORIES, MAX_PRICES = 100, 200
OF_EVERYBODY = ("days_since_last_purchase", "probability_of_return")
Sales = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Volumes:
    """What was sold in the latest horizon; `amount` is in minor units, an order a customer-day."""

    customers: int
    orders: int
    lines: int
    unknown_lines: int
    amount: int


@dataclass(frozen=True, slots=True)
class DriftStatistics:
    """Content of `drift.json`.

    Attributes
    ----------
    as_of_day : days since 1970-01-01, exclusive
    horizon_days : length of the latest horizon
    categories : lines by category in the latest horizon, the rare ones together; empty where products have none
    states : customers by state
    features : histograms of customers
    prices : money and units of the best-selling products of the latest horizon
    """

    as_of_day: int
    horizon_days: int
    volumes: Volumes
    categories: Mapping[str, int]
    states: Mapping[str, int]
    features: Mapping[str, Histogram]
    prices: Sales

    def to_json(self) -> dict[str, Any]:  # JSON
        """Plain values by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The same with every customer's value of each feature, in an order that says nothing."""

    as_of_day: int
    horizon_days: int
    volumes: Volumes
    categories: Mapping[str, int]
    states: Mapping[str, int]
    features: Mapping[str, Vector]
    prices: Sales

    def statistics(self) -> DriftStatistics:
        """What may be remembered."""
        ranked = sorted(self.categories.items(), key=lambda pair: (-pair[1], pair[0]))
        largest, others = dict(ranked[:MAX_CATEGORIES]), sum(lines for _, lines in ranked[MAX_CATEGORIES:])
        best = sorted(self.prices.items(), key=lambda pair: (-pair[1][0], pair[0]))[:MAX_PRICES]
        return DriftStatistics(
            self.as_of_day,
            self.horizon_days,
            self.volumes,
            largest | ({OTHER: others} if others else {}),
            self.states,
            {name: histogram(values) for name, values in self.features.items()},
            dict(best),
        )


def read_statistics(folder: Path) -> DriftStatistics | None:
    """What the bundle in a folder remembers; None for bundles made before there was anything to remember."""
    try:
        return TypeAdapter(DriftStatistics).validate_json((folder / DRIFT).read_bytes())
    except (FileNotFoundError, ValueError):  # of a release that remembered something else
        return None


def take_snapshot(prepared: Prepared, customers: pa.Table, horizon_days: int) -> Snapshot:
    """Look at the horizon before `as_of`.

    Parameters
    ----------
    customers
        Columns of `customers.parquet`.
    """
    from_day = prepared.as_of_day - horizon_days
    sold, spent = _by_item(prepared, from_day), _by_customer(prepared, from_day)
    orders, amount = (spent[name].to_numpy().astype(np.float64) for name in ("orders", "amount"))
    lines, unknown = _lines(prepared, from_day)
    states = customers["state"].value_counts().to_pylist()
    return Snapshot(
        as_of_day=prepared.as_of_day,
        horizon_days=horizon_days,
        volumes=Volumes(len(orders), int(orders.sum()), lines, unknown, int(amount.sum())),
        categories=_categories(prepared, sold),
        states={one["values"]: one["counts"] for one in sorted(states, key=lambda one: str(one["values"]))},
        features={
            "orders": orders,
            "spend": amount / MINOR_UNITS,
            "spend_per_order": amount / orders / MINOR_UNITS,
            **{name: customers[name].to_numpy().astype(np.float64) for name in OF_EVERYBODY},
        },
        prices=_prices(prepared, sold),
    )


def _lines(prepared: Prepared, from_day: int) -> tuple[int, int]:
    """Lines of products, and those among them without a customer."""
    lines = prepared.lines
    recent = lines.filter(lines.day >= from_day, lines.is_product)
    unknown = recent.customer_key.isnull().cast("int64").sum().fill_null(0)
    found = recent.aggregate(lines=recent.count(), unknown=unknown).to_pyarrow().to_pylist()[0]
    return int(found["lines"]), int(found["unknown"])


def _by_customer(prepared: Prepared, from_day: int) -> pa.Table:
    lines = prepared.record_lines
    recent = lines.filter(lines.day >= from_day)
    totals = recent.group_by("customer_row").aggregate(orders=recent.day.nunique(), amount=recent.amount.sum())
    return totals.order_by("customer_row").to_pyarrow()


def _by_item(prepared: Prepared, from_day: int) -> pa.Table:
    lines = prepared.record_lines
    recent = lines.filter(lines.day >= from_day, lines.item_row.notnull())
    units = recent.quantity.cast("decimal(18, 3)").sum().cast("float64")  # of floats, the sum depends on their order
    totals = recent.group_by("item_row").aggregate(lines=recent.count(), units=units, amount=recent.amount.sum())
    return totals.order_by(ibis.asc("item_row")).to_pyarrow()


def _categories(prepared: Prepared, sold: pa.Table) -> dict[str, int]:
    if "category" not in prepared.items.column_names:
        return {}
    names = prepared.items["category"].take(sold["item_row"]).fill_null(NO_CATEGORY)
    totals = pa.table({"category": names, "lines": sold["lines"]}).group_by("category").aggregate([("lines", "sum")])
    return {row["category"]: int(row["lines_sum"]) for row in totals.sort_by("category").to_pylist()}


def _prices(prepared: Prepared, sold: pa.Table) -> dict[str, tuple[float, float]]:
    ids = prepared.items["item_id"].take(sold["item_row"]).to_pylist()
    money, units = sold["amount"].to_pylist(), sold["units"].to_pylist()
    return {one: (int(amount) / MINOR_UNITS, float(n)) for one, amount, n in zip(ids, money, units, strict=True)}
