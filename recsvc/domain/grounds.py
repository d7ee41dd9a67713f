"""What the reasons of a chosen item rest on, beside what the bundle knows of the item itself."""

from __future__ import annotations

from typing import NamedTuple


class Grounds(NamedTuple):
    """Grounds of one item for one customer: little enough to be stored for everybody.

    Attributes
    ----------
    times, usual_gap_days, days_since
        Order-days on which the customer bought the item, days between them, and since the last; 0 where never.
    because : row of the item that lies nearest among those the customer bought; None where they bought this one
    looked_at : row of the item that lies nearest among those the customer looks at just now
    """

    times: int = 0
    usual_gap_days: int = 0
    days_since: int = 0
    because: int | None = None
    looked_at: int | None = None
