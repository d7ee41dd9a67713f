"""Who is ranked, and what is proposed to them: the two things every feature is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from recsvc.domain.arrays import Counts, Days, Factors, Floats, Mask, Rows, Vector
from recsvc.domain.history import Histories
from recsvc.domain.item_history import ItemHistories
from recsvc.domain.session import Sessions


@dataclass(frozen=True, slots=True)
class Pairs:
    """Candidates of a batch: `item[j]` is proposed to customer `customer[j]`; sorted, no pair twice."""

    customer: Counts
    item: Rows

    def __len__(self) -> int:
        return len(self.item)

    def take(self, positions: Counts) -> Pairs:
        """Some of the pairs, in the order asked for."""
        return Pairs(self.customer[positions], self.item[positions])


@dataclass(frozen=True, slots=True)
class CustomerBatch:
    """Everything about some customers that ranking may look at.

    Attributes
    ----------
    histories, own
        Their records, and the same per item as of `clock_day`.
    clock_day : shape (n_customers,), days since 1970-01-01
        The ranking clock.
    vectors : shape (n_customers, n_factors)
        Taste vectors from `fold_in`, of `interest`.
    sessions
        What they look at just now; None when nobody looks at anything.
    liked
        Their purchases with what they look at; None when nobody looks at anything.
    """

    histories: Histories
    own: ItemHistories
    clock_day: Days
    vectors: Factors
    sessions: Sessions | None = None
    liked: ItemHistories | None = None

    @property
    def interest(self) -> ItemHistories:
        """What they like: purchases, and what they look at as if it were bought today."""
        return self.liked or self.own

    def n_orders(self) -> Counts:
        """Order-days of each customer; shape (n_customers,)."""
        return np.diff(self.histories.order_offsets)

    def in_session(self) -> Mask:
        """Who looks at something just now; shape (n_customers,)."""
        if self.sessions is None:
            return np.zeros(len(self.histories), bool)
        return self.sessions.n_items() > 0

    def is_unknown(self) -> Mask:
        """Who neither ordered nor looks at anything; shape (n_customers,)."""
        return np.equal(self.n_orders(), 0) & ~self.in_session()

    def last_order_day(self) -> Vector:
        """Day of each customer's last order; the clock itself for somebody without orders."""
        offsets = self.histories.order_offsets
        has = np.diff(offsets) > 0
        last = self.clock_day.astype(np.float64)
        last[has] = self.histories.order_day[offsets[1:][has] - 1]
        return last


def own_entries(pairs: Pairs, own: ItemHistories, n_items: int) -> tuple[Counts, Mask]:
    """Where each pair stands in `own`, and whether it does: whether the customer ever bought the item."""
    held, wanted = own.keys(n_items), pairs.customer * n_items + pairs.item
    entry = np.minimum(np.searchsorted(held, wanted), max(len(held) - 1, 0))
    return entry, held[entry] == wanted if len(held) else np.zeros(len(wanted), bool)


def of_entries(column: Counts | Vector | Days | Floats, entry: Counts, bought: Mask) -> Vector:
    """Values of a column of `own` for each pair; 0 where the customer never bought the item."""
    if not len(column):
        return np.zeros(len(entry))
    return np.where(bought, column[entry], 0).astype(np.float64)


def bought_rows(own: ItemHistories, customer: int) -> Rows:
    """Item rows one customer of the batch ever bought, ascending."""
    return own.item[own.offsets[customer] : own.offsets[customer + 1]]


def last_orders(batch: CustomerBatch, n_catalogue: int) -> sp.csr_matrix:
    """1 for each catalogue item of each customer's last order, or of what they look at just now.

    Shape (n_customers, n_catalogue).
    """
    histories = batch.histories
    customer, item = histories.line_customer(), histories.line_item
    kept = (histories.line_day == batch.last_order_day()[customer]) & (item < n_catalogue)
    if batch.sessions is not None:
        n_looked_at = batch.sessions.n_items()
        kept &= n_looked_at[customer] == 0
        customer = np.concatenate([customer, np.repeat(np.arange(len(histories)), n_looked_at)])
        item = np.concatenate([item, *batch.sessions.rows])
        kept = np.concatenate([kept, np.ones(n_looked_at.sum(), bool)])
    shape = (len(histories), n_catalogue)
    return sp.csr_matrix((np.ones(int(kept.sum()), np.float32), (customer[kept], item[kept])), shape)
