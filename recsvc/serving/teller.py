"""From a bare slate to an answer: ids, reasons in words, where the customer stands on the day of the question.

Stored slates and ranked ones are told by the same lines, so they cannot say different things.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsvc.bundle.slates import BareSlate
from recsvc.domain.ids import ItemIds
from recsvc.serving.customer_state import summary_at
from recsvc.serving.reasons import ReasonWriter
from recsvc.serving.slate import Explanation, Query, Recommendation, Slate, Strategy


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer in figures.

    Attributes
    ----------
    clock_day : of the ranking, days since 1970-01-01
    strategy : of somebody who never ordered; a customer's is personal
    explanations : of the items, in their order; empty when nobody asked
    stored : whether the bundle held the slate ready
    """

    query: Query
    slate: BareSlate
    clock_day: int
    strategy: Strategy = "popular"
    explanations: Sequence[Explanation] = ()
    stored: bool = False


@dataclass(frozen=True, slots=True)
class Teller:
    """Puts answers of one bundle into words."""

    bundle_id: str
    ids: ItemIds
    reasons: ReasonWriter

    def told(self, answered: Answered, now_day: int) -> Slate:
        """Answer for people, on a day since 1970-01-01."""
        bare, course = answered.slate, answered.slate.course
        return Slate(
            query=answered.query,
            bundle_id=self.bundle_id,
            strategy=answered.strategy if course is None else "personal",
            items=tuple(self._items(answered, None if course is None else course.last_order_day)),
            customer=None if course is None else summary_at(course, now_day),
            filters_applied=bare.filters_applied,
            stored=answered.stored,
        )

    def _items(self, answered: Answered, last_order_day: int | None) -> list[Recommendation]:
        why: Sequence[Explanation | None] = answered.explanations or [None] * len(answered.slate.items)
        return [
            Recommendation(
                self.ids.id(item.row),
                rank,
                item.score,
                self.reasons.reasons(item.row, item.grounds, answered.clock_day, last_order_day),
                explanation,
            )
            for rank, (item, explanation) in enumerate(zip(answered.slate.items, why, strict=True), 1)
        ]
