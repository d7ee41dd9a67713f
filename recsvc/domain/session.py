"""What customers look at just now, beside what they bought: it steers taste and companions, and is no purchase.

A session counts like an order of today wherever ranking asks what somebody likes, and stands for the last order where
it asks what goes with that. Whether something was bought, and when, stays what the record says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Counts, Days, Rows
from recsvc.domain.history import Histories, OrderLine, append_order, concatenate, take


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions of a batch of customers.

    Attributes
    ----------
    rows : length n_customers, catalogue rows of what each looks at, ascending, none twice; empty without a session
    clock_day : shape (n_customers,), days since 1970-01-01
        Earliest ranking clock of each: the day after their last live event; 0 without any.
    """

    rows: tuple[Rows, ...]
    clock_day: Days

    def are_empty(self) -> bool:
        """Whether nobody looks at anything."""
        return not any(len(rows) for rows in self.rows)

    def n_items(self) -> Counts:
        """How many items each customer looks at; shape (n_customers,)."""
        return np.array([len(rows) for rows in self.rows], np.int64)


def no_sessions(n_customers: int) -> Sessions:
    """Nobody looks at anything."""
    return Sessions((np.zeros(0, np.int32),) * n_customers, np.zeros(n_customers, np.int32))


def with_sessions(histories: Histories, sessions: Sessions, clock_day: Days) -> Histories:
    """Records in which what is looked at was ordered on the day of the ranking clock."""
    one_by_one = (take(histories, np.array([position])) for position in range(len(histories)))
    looked_at = zip(one_by_one, sessions.rows, clock_day.tolist(), strict=True)
    return concatenate(
        [
            append_order(one, day, [OrderLine(int(row), 1.0, 0) for row in rows]) if len(rows) else one
            for one, rows, day in looked_at
        ]
    )
