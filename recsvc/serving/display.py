"""What is shown of an item."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from recsvc.serving.slate import Item

MINOR_UNITS = 100
SHOWN = ("title", "category", "brand", "url", "image_url")


def item_at(catalogue: pa.Table, row: int) -> Item:
    """Return the item in one row of `items.parquet`; columns the retailer did not give are None.

    Prices are in currency units: the list price, or where there is none what one unit last sold at.
    """

    def value(column: str) -> Any:  # whatever the column holds
        return catalogue[column][row].as_py() if column in catalogue.column_names else None

    price = value("price") if value("price") is not None else value("last_price")
    in_units = None if price is None else price / MINOR_UNITS
    return Item(item_id=value("item_id"), price=in_units, **{column: value(column) for column in SHOWN})
