"""Pages of the bundle's lists of customers: whom to win back, and of whom to be warned early."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from recsvc.bundle.reader import Bundle
from recsvc.serving.customer_state import Places
from recsvc.serving.live_data import LiveData
from recsvc.serving.live_records import strangers
from recsvc.serving.profile_writer import ProfileWriter
from recsvc.serving.slate import WinBackRow

AT_ONCE = 256  # customers looked at together


@dataclass(frozen=True, slots=True)
class CustomerLists:
    """The lists of one bundle."""

    bundle: Bundle
    live: LiveData
    profiles: ProfileWriter

    def page(self, rank: str, after_rank: int, limit: int, states: frozenset[str]) -> tuple[WinBackRow, ...]:
        """Rows of a list below a place; none where the bundle is from before there was that list.

        Parameters
        ----------
        rank
            Column of the places, `win_back_rank` or `early_warning_rank`.
        states
            Empty means all of them.
        """
        table = self.bundle.customer_table
        if rank not in table.column_names:
            return ()
        wanted = pc.greater(table[rank], after_rank)
        if states:
            wanted = pc.and_(wanted, pc.is_in(table["state"], value_set=pa.array(sorted(states))))
        ids, ranks = self._first_known(table.select(["customer_id", rank]).filter(wanted), limit)
        if not ids:
            return ()
        histories, _ = self.bundle.customers.get_many(ids)
        places = [Places(**{rank.removesuffix("_rank"): place}) for place in ranks]
        found = self.profiles.of_many(histories, self.bundle.items.as_of_day, places)
        return tuple(WinBackRow(customer_id, state) for customer_id, state in zip(ids, found, strict=True))

    def _first_known(self, listed: pa.Table, limit: int) -> tuple[list[str], list[int]]:
        """Ids and places of the first customers of a list of whom something may be said."""
        ids: list[str] = []
        ranks: list[int] = []
        for start in range(0, len(listed), max(limit, AT_ONCE)):
            page = listed.slice(start, max(limit, AT_ONCE)).to_pydict()
            some, places = page.values()
            hidden = strangers(self.bundle, self.live, some)
            shown = [(one, place) for one, place in zip(some, places, strict=True) if one not in hidden]
            ids += [one for one, _ in shown]
            ranks += [place for _, place in shown]
            if len(ids) >= limit:
                break
        return ids[:limit], ranks[:limit]
