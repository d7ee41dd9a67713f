"""Item tables small enough to count by hand: what a test does not speak of is zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import ArrayLike

from recsvc.domain.ids import ItemIds
from recsvc.domain.items import ItemTable

RECENT_DAYS = 28
NOT_COLUMNS = ("ids", "n_catalogue", "n_customers", "as_of_day", "recent_days")


def item_table(
    ids: Sequence[str], n_catalogue: int, *, n_customers: int = 1, as_of_day: int = 0, **columns: ArrayLike
) -> ItemTable:
    """Items of which only some statistics matter."""
    names = [field.name for field in fields(ItemTable) if field.name not in NOT_COLUMNS]
    nothing = np.zeros(len(ids), np.int64)
    return ItemTable(
        ids=ItemIds(ids),
        n_catalogue=n_catalogue,
        n_customers=n_customers,
        as_of_day=as_of_day,
        recent_days=RECENT_DAYS,
        **{name: np.asarray(columns.pop(name, nothing)) for name in names},
        **columns,  # type: ignore[arg-type]  # left over only when misspelt: then the table refuses it
    )
