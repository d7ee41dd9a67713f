"""What rules mean for one bundle: which items they take away, and which they move; compiled for many customers at once.

Rules that hold for every slate come first, those of the request after them. Nothing here knows a customer:
`recsvc.serving.arranging` applies what is compiled here to one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Mask, Rows
from recsvc.domain.business_rules import BusinessRule, StandingRules
from recsvc.domain.items import ItemTable
from recsvc.serving.filters import ItemFilters
from recsvc.serving.rules import Rules

PINNABLE = 20  # items a pin proposes to everybody: those most bought lately


@dataclass(frozen=True, slots=True)
class Placed:
    """A boost, bury or pin; `met` says which catalogue items it speaks of, shape (n_catalogue,)."""

    rule: BusinessRule
    met: Mask


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `n` items of a category; `category` has shape (n_items,), and 0 is none, which is not capped."""

    n: int
    category: Rows


@dataclass(frozen=True, slots=True)
class Placing:
    """Rules of one question.

    Attributes
    ----------
    kept : which items the question and the blocks leave, shape (n_catalogue,); None when they leave all
    applied : what took something away, in words
    moves : boosts and buries, in their order
    pins : in order of place
    """

    kept: Mask | None = None
    applied: tuple[str, ...] = ()
    moves: tuple[Placed, ...] = ()
    pins: tuple[Placed, ...] = ()
    cap: Cap | None = None

    @property
    def moves_nothing(self) -> bool:
        """Whether the order stays what it is."""
        return not self.moves and not self.pins and self.cap is None

    def pinned_rows(self, ranked: Rows, allowed: Mask) -> Rows:
        """Items every customer must be able to be shown at a pinned place, ascending.

        Parameters
        ----------
        ranked
            Catalogue rows, the most bought first.
        allowed : shape (n_catalogue,)
        """
        found = [ranked[(pin.met & allowed)[ranked]][:PINNABLE] for pin in self.pins]
        return np.unique(np.concatenate([np.zeros(0, np.int32), *found]))


NO_PLACING = Placing()


class HouseRules:
    """Rules of one bundle, ready to be joined with those of a question."""

    def __init__(self, standing: StandingRules, filters: ItemFilters, items: ItemTable) -> None:
        self._standing, self._filters, self._items = standing, filters, items

    def placing(self, rules: Rules) -> Placing:
        """Compile the rules of a question; `NO_PLACING` where there are none.

        Raises
        ------
        FilterError
        """
        standing = self._standing if rules.standing else StandingRules()
        cap = self._cap(rules.category_cap or standing.category_cap)
        texts = (*standing.rules, *rules.rules)
        if cap is None and not texts and rules.where is None:
            return NO_PLACING
        placed = [self._placed(self._filters.rule(text)) for text in dict.fromkeys(texts)]
        kept, applied = _kept(self._takings(rules.where, placed))
        moves = tuple(one for one in placed if one.rule.action in ("boost", "bury"))
        pins = sorted((one for one in placed if one.rule.action == "pin"), key=lambda one: one.rule.amount)
        return Placing(kept, applied, moves, tuple(pins), cap)

    def _placed(self, rule: BusinessRule) -> Placed:
        return Placed(rule, self._filters.mask(rule.where))

    def _takings(self, where: str | None, placed: Sequence[Placed]) -> Iterator[tuple[Mask, str]]:
        if where is not None:
            yield self._filters.mask(where), f"where {where}"
        for one in placed:
            if one.rule.action == "block":
                yield ~one.met, str(one.rule)

    def _cap(self, n: int | None) -> Cap | None:
        if n is None:
            return None
        return Cap(n, self._items.second_category)


def _kept(takings: Iterator[tuple[Mask, str]]) -> tuple[Mask | None, tuple[str, ...]]:
    kept, applied = None, []
    for left, words in takings:
        if not left.all():
            kept = left if kept is None else kept & left
            applied.append(words)
    return kept, tuple(applied)
