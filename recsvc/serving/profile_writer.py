"""Whole profiles: where customers stand, what they like, when they are expected, and why they are on a list.

More than a recommendation needs, so it is computed only for callers who ask for profiles and lists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recsvc.domain.category_clock import Categories, faded_categories
from recsvc.domain.habits import Habit
from recsvc.domain.history import Histories
from recsvc.domain.outlook import NextOrder
from recsvc.domain.preferences import PRICE_LEVELS, preferences, price_levels
from recsvc.domain.profiles import CustomerModels, Profiles, expected_orders, profiles
from recsvc.domain.shelf import Shelf
from recsvc.serving.customer_state import Places, judged_on, moment_of, state_at
from recsvc.serving.slate import CustomerState, FadedCategory, Reason
from recsvc.serving.whys import WhyWriter

FADED = 3  # categories told of a customer


@dataclass(frozen=True, slots=True)
class ProfileWriter:
    """Writes whole profiles of customers who all have at least one order.

    Attributes
    ----------
    shelf : categories and prices of the bundle's items
    whys : writer of the facts that put customers on lists
    habit_of : when and where a customer prefers to act
    categories : top-level categories of the bundle's items, for those that customers have let lapse
    """

    models: CustomerModels
    shelf: Shelf
    whys: WhyWriter
    habit_of: Callable[[str], Habit]
    categories: Categories

    def of_one(self, history: Histories, now_day: int, places: Places) -> CustomerState:
        """Profile of one customer on a day; an order of today still counts as past."""
        return self.of_many(history, judged_on(history, now_day), [places])[0]

    def of_many(self, histories: Histories, as_of_day: int, places: Sequence[Places]) -> list[CustomerState]:
        """Profiles of a batch on one day, all orders before it, in their order."""
        figures = profiles(histories, self.models, as_of_day)
        expected = expected_orders(histories, figures, self.models, as_of_day)
        liked = self._liked(histories)
        faded = self._faded(histories, figures, as_of_day)
        whys, habits = self._whys(figures, places), map(self.habit_of, histories.customer_ids)
        return [
            replace(
                state_at(figures, position, at),
                **_dates(expected, position),
                **liked[position],
                faded_categories=faded[position],
                best_hour=habit.best_hour,
                best_channel=habit.best_channel,
                why=whys[position],
            )
            for position, (at, habit) in enumerate(zip(places, habits, strict=True))
        ]

    def _liked(self, histories: Histories) -> list[dict[str, Any]]:  # Any: fields by name
        found = preferences(histories, self.shelf)
        levels = price_levels(found.price_position, self.models.standing)
        return [
            {
                "favourite_categories": tuple(self.shelf.names[place] for place in found.categories[position, :count]),
                "price_level": PRICE_LEVELS[levels[position]] if found.has_price[position] else None,
                "price_position": float(found.price_position[position]) if found.has_price[position] else None,
            }
            for position, count in enumerate(found.n_categories.tolist())
        ]

    def _faded(self, histories: Histories, figures: Profiles, as_of_day: int) -> list[tuple[FadedCategory, ...]]:
        """What customers who have not lapsed altogether no longer buy, the most certain first."""
        models, names = self.models, self.categories.names
        found = faded_categories(histories, self.categories, models.category_clocks, models.thresholds, as_of_day)
        rows = zip(found.category, found.n_orders, found.usual_gap_days, found.silence_days, strict=True)
        told = [FadedCategory(names[place], int(n), max(round(gap), 1), int(days)) for place, n, gap, days in rows]
        lapsed = figures.has_lapsed()
        return [() if lapsed[one] else tuple(told[found.of(one)][:FADED]) for one in range(len(histories))]

    def _whys(self, figures: Profiles, places: Sequence[Places]) -> list[tuple[Reason, ...]]:
        """Facts of those on a list; nothing of the others."""
        on_win_back = [position for position, at in enumerate(places) if at.win_back is not None]
        on_warning = [position for position, at in enumerate(places) if at.early_warning is not None]
        found: list[tuple[Reason, ...]] = [()] * len(places)
        for positions, warning in ((on_win_back, False), (on_warning, True)):
            if positions:
                for position, facts in self.whys.whys(figures, np.array(positions), warning=warning):
                    found[position] = facts
        return found


def _dates(expected: NextOrder, position: int) -> dict[str, Any]:  # Any: fields by name
    names = ("next_order_earliest", "next_order_on", "next_order_latest")
    known = zip(names, expected.day[position].tolist(), expected.is_known[position].tolist(), strict=True)
    return {name: moment_of(day) if is_known else None for name, day, is_known in known}
