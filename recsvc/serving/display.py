"""What is shown of an item."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from recsvc.serving.slate import Item

SHOWN = ("title", "category", "brand", "url", "image_url")


def item_at(catalogue: pa.Table, row: int) -> Item:
    """Return the item in one row of `items.parquet`; columns the retailer did not give are None."""

    def value(column: str) -> Any:  # whatever the column holds
        return catalogue[column][row].as_py() if column in catalogue.column_names else None

    price = value("price")
    if price is None and value("last_price") is not None:
        price = value("last_price") / 100
    return Item(item_id=value("item_id"), price=price, **{column: value(column) for column in SHOWN})
