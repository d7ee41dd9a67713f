"""Identifiers: the retailer's own ids on the outside, integer rows on the inside."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NewType

import numpy as np

from recsvc.domain.arrays import Rows
from recsvc.errors import DataError, UnknownItem

CustomerId = NewType("CustomerId", str)
ItemId = NewType("ItemId", str)
Row = NewType("Row", int)


class ItemIds:
    """Immutable map between item ids and rows, with a digest to tie factors to the ids they were fitted on.

    Rows are positions in the given order. Unknown ids: `row` raises, `known_rows` leaves them out.

    Examples
    --------
    >>> ids = ItemIds(["apple", "pear"])
    >>> ids.row("pear"), ids.id(0), len(ids)
    (1, 'apple', 2)
    >>> ids.known_rows(["plum", "pear"])
    array([1], dtype=int32)
    """

    __slots__ = ("_ids", "_rows", "digest")

    def __init__(self, ids: Sequence[str]) -> None:
        self._ids = tuple(ids)
        self._rows = {item_id: row for row, item_id in enumerate(self._ids)}
        if len(self._rows) != len(self._ids):
            raise DataError("item ids", "the same id stands in two rows")
        self.digest = digest_of(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._rows

    def id(self, row: int) -> ItemId:
        """Id that stands in `row`."""
        return ItemId(self._ids[row])

    def row(self, item_id: str) -> Row:
        """Row of `item_id`.

        Raises
        ------
        UnknownItem
            If the id is not in the map.
        """
        try:
            return Row(self._rows[item_id])
        except KeyError:
            raise UnknownItem(item_id) from None

    def known_rows(self, item_ids: Iterable[str]) -> Rows:
        """Rows of those ids the map knows, in the order given."""
        return np.array([self._rows[i] for i in item_ids if i in self._rows], dtype=np.int32)


def digest_of(ids: Iterable[str]) -> str:
    """Hex digest of a sequence of ids; order matters, and no two sequences share an encoding."""
    digest = hashlib.blake2b(digest_size=16)
    for one in ids:
        encoded = one.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(4, "little"))
        digest.update(encoded)
    return digest.hexdigest()
