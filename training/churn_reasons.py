"""Why customers left, for the report: what they said, and what the record suggests where they said nothing.

A suggestion counts as far as it is more common among those who left than among comparable customers who stayed. It is
not causal: whoever was about to leave may have complained because of that, or bought less of a category.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsvc.domain.arrays import AnyArray, Mask, Vector
from recsvc.domain.history import Histories
from recsvc.domain.profiles import Profiles
from recsvc.domain.segments import SEGMENTS
from training.churn_compare import Explained, bands, compare
from training.churn_evidence import REASONS, JudgedOrders, Troubles, evidence, judged_orders
from training.churn_market import Market
from training.churn_stated import ReasonCount, Statements, count_stated

NOT_EXPLAINED = "not_explained"
LIKELY_REASON = "likely_reason"
NOTE = (
    "Not causal. A reason applies by a rule on the record up to the last order of a customer who left. It explains "
    "how much more often it applies to them than to customers of like spend and age who were back in time after one "
    "of about the same date (95 % interval by resampling customers). A reason whose interval is not above 0 explains "
    "nothing and is named for nobody."
)


@dataclass(frozen=True, slots=True)
class EstimatedCount:
    """Customers of a segment who left with a main reason, and their share of those who left without saying why."""

    segment: str
    reason: str
    customers: int
    share: float


@dataclass(frozen=True, slots=True)
class ChurnReasons:
    """Stated and estimated reasons by segment, and what the estimates are worth.

    Attributes
    ----------
    n_left, n_compared : customers who left without saying why, and those of them with somebody to compare with
    likely_reason : length n_customers, by customer row; None where there is no likely reason
    all_reasons : length n_customers, every reason that applies, the most specific first
    """

    stated: tuple[ReasonCount, ...]
    estimated: tuple[EstimatedCount, ...]
    explained: tuple[Explained, ...]
    n_left: int
    n_compared: int
    likely_reason: tuple[str | None, ...]
    all_reasons: tuple[tuple[str, ...], ...]

    def to_json(self) -> dict[str, Any]:  # JSON
        """Plain values for `report.json`; of the customers only counts."""
        return {
            "stated": [asdict(one) for one in self.stated],
            "estimated": [asdict(one) for one in self.estimated],
            "explained": [asdict(one) for one in self.explained],
            "customers_left": self.n_left,
            "customers_compared": self.n_compared,
            "note": NOTE,
        }


class ChurnEvidence:
    """Collects evidence batch by batch, in whatever order customers are read; a few numbers a customer."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._ids: list[str] = []
        self._parts: list[dict[str, AnyArray]] = []
        self._complaints_known = False

    def add(
        self, histories: Histories, figures: Profiles, lapsed_after_days: Vector, troubles: Troubles | None = None
    ) -> None:
        """Take a batch; without `troubles`, nothing is known of complaints and returns."""
        left, as_of_day = figures.has_lapsed(), self._market.as_of_day
        at = judged_orders(histories, left, lapsed_after_days, as_of_day, n_before=len(self._ids))
        self._complaints_known |= troubles is not None and len(troubles.day) > 0
        applies = evidence(histories, at, self._market, troubles)
        self._ids.extend(histories.customer_ids)
        self._parts.append({**_kept(at), "applies": applies, "segment": figures.segment})

    def reasons(self, customer_ids: Sequence[str], statements: Statements | None = None) -> ChurnReasons:
        """What all batches together say; `customer_ids` are those of the batches, by customer row."""
        columns = self._columns(customer_ids)
        segment = [SEGMENTS[position] for position in columns["segment"]]
        said = statements.before(self._market.as_of_day) if statements else []
        applies, silent = columns["applies"], np.ones(len(segment), bool)
        silent[[row for row, _ in said]] = False
        left = columns["left"] & silent
        explained, n_compared = compare(applies, left, columns["stayed"], bands(columns), self._judged())
        holds = np.isin(REASONS, [one.reason for one in explained if one.low > 0])
        named = applies & left[:, None] & holds
        every = tuple(tuple(np.array(REASONS)[row].tolist()) for row in named)
        likely = tuple(ones[0] if ones else None for ones in every)
        return ChurnReasons(
            stated=count_stated(said, segment),
            estimated=count_estimated(likely, left, segment),
            explained=explained,
            n_left=int(left.sum()),
            n_compared=n_compared,
            likely_reason=likely,
            all_reasons=every,
        )

    def _columns(self, customer_ids: Sequence[str]) -> dict[str, AnyArray]:
        """What was collected, by customer row."""
        row = _places(pa.array(customer_ids, pa.string()), self._ids).to_numpy()
        return {name: np.concatenate([part[name] for part in self._parts])[row] for name in self._parts[0]}

    def _judged(self) -> Mask:
        """Which rules have anything to go by; shape (n_reasons,)."""
        has = {"complaint": self._complaints_known, "category_faded": self._market.n_categories > 0}
        return np.array([has.get(reason, True) for reason in REASONS])


def no_churn_reasons(n_customers: int) -> ChurnReasons:
    """Nothing said and nothing suggested: for replays, in which nobody asks."""
    return ChurnReasons((), (), (), 0, 0, (None,) * n_customers, ((),) * n_customers)


def count_estimated(likely: Sequence[str | None], left: Mask, segment: Sequence[str]) -> tuple[EstimatedCount, ...]:
    """Those who left without a word, by segment and main reason, `not_explained` included."""
    gone = np.flatnonzero(left).tolist()
    total = Counter(segment[row] for row in gone)
    cells = Counter((segment[row], likely[row] or NOT_EXPLAINED) for row in gone)
    return tuple(EstimatedCount(*cell, n, n / total[cell[0]]) for cell, n in sorted(cells.items()))


def with_reasons(table: pa.Table, customer_ids: Sequence[str], reasons: Sequence[str | None]) -> pa.Table:
    """A customer table with the likely reason of each customer beside the rest; null where there is none."""
    place = _places(table["customer_id"].combine_chunks(), customer_ids)
    return table.append_column(LIKELY_REASON, pa.array(reasons, pa.string()).take(place))


def _places(wanted: pa.Array, customer_ids: Sequence[str]) -> pa.Array:
    """Position of each wanted customer among some; all of them are there."""
    return pc.index_in(wanted, value_set=pa.array(customer_ids, pa.string()))


def _kept(at: JudgedOrders) -> dict[str, AnyArray]:
    return {name: getattr(at, name) for name in ("left", "stayed", "amount", "age_days", "day")}
