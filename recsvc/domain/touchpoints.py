"""Touchpoints: the dated facts about customers that are not orders, one row a customer, day and kind.

Returns, discounts, visits, contacts, answers, complaints: whatever a retailer has a table of. A shop with orders alone
has none, and nothing here costs it anything. What they mean for a customer is computed in `touch_facts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Counts, Days, Floats, Offsets
from recsvc.domain.ragged import offsets_of, owner_of, rows_before, rows_of

KINDS: Final = (  # positions are stored: a new kind goes to the end
    "return",
    "discount",
    "view",
    "cart",
    "wishlist",
    "visit",
    "login",
    "usage",
    "contact",
    "open",
    "click",
    "nps",
    "csat",
    "complaint",
    "sentiment",
)
MONEY: Final = ("return", "discount")
SCORES: Final = ("nps", "csat", "sentiment")  # a mean of the day; all the rest are sums
Kinds = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Touchpoints:
    """Touchpoints of a batch of customers, as ragged columns; empty for nobody when nothing is given.

    Customer `c` owns the rows `offsets[c]:offsets[c + 1]`, in order of day and kind.

    Attributes
    ----------
    offsets : shape (n_customers + 1,)
    day : shape (n_touchpoints,), days since 1970-01-01
    kind : shape (n_touchpoints,), position in `KINDS`; a customer has at most one row a day and kind
    value : shape (n_touchpoints,)
        Currency units of `return` and `discount`, above 0; mean of the day of `nps` (0 to 10), `csat` (0 to 1) and
        `sentiment` (-1 to 1); how often on that day of everything else, at least 1.
    """

    offsets: Offsets = field(default_factory=lambda: np.zeros(1, np.int64))
    day: Days = field(default_factory=lambda: np.zeros(0, np.int32))
    kind: Kinds = field(default_factory=lambda: np.zeros(0, np.int8))
    value: Floats = field(default_factory=lambda: np.zeros(0, np.float32))

    def __len__(self) -> int:
        return len(self.day)

    def customer(self) -> Counts:
        """Position in the batch of each touchpoint's customer; shape (n_touchpoints,)."""
        return owner_of(self.offsets)


def no_touchpoints(n_customers: int) -> Touchpoints:
    """Nothing known of any of so many customers."""
    return Touchpoints(np.zeros(n_customers + 1, np.int64))


def take_touchpoints(touchpoints: Touchpoints, positions: Counts) -> Touchpoints:
    """Those of some customers of a batch, in the order asked for."""
    if not len(touchpoints):
        return no_touchpoints(len(positions))
    rows, offsets = rows_of(touchpoints.offsets, positions)
    return Touchpoints(offsets, touchpoints.day[rows], touchpoints.kind[rows], touchpoints.value[rows])


def touchpoints_before(touchpoints: Touchpoints, day: int) -> Touchpoints:
    """Those of the same customers that lie before a day."""
    if not len(touchpoints):
        return touchpoints
    kept, offsets = rows_before(touchpoints.day, touchpoints.offsets, day)
    return Touchpoints(offsets, touchpoints.day[kept], touchpoints.kind[kept], touchpoints.value[kept])


def concatenate_touchpoints(batches: Sequence[Touchpoints]) -> Touchpoints:
    """Put several batches one behind the other."""
    some = [batch for batch in batches if len(batch)]
    if not some:
        return no_touchpoints(sum(len(batch.offsets) - 1 for batch in batches))
    return Touchpoints(
        offsets_of([np.diff(batch.offsets) for batch in batches]),
        np.concatenate([batch.day for batch in some]),
        np.concatenate([batch.kind for batch in some]),
        np.concatenate([batch.value for batch in some]),
    )
