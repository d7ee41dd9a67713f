"""Why a customer is on a list: the three facts that put them there, in words for the retailer, with the figures.

Facts are of this customer, or shares of everybody; never of another customer, and never a sensitive category.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from recsvc.domain.arrays import Counts, Vector
from recsvc.domain.customer_features import RECENT_DAYS
from recsvc.domain.profiles import CustomerModels, Profiles
from recsvc.domain.rfm import MINOR_UNITS
from recsvc.domain.why import BREADTH, FAMILIES, LOYALTY, OUTLOOK, RHYTHM, TREND, VALUE, family_weights
from recsvc.serving.slate import Reason

FACTS = 3
TELLING = 0.1  # a family without a fact of its own is told of when it moves a customer's worth by a tenth
MANY = 75  # percent of customers below: fewer make a basket no broad one
LOYAL_DAYS = 2 * 365
WORDS: Final = {
    "satisfaction": "ratings and complaints",
    "contact": "answers to what was sent",
    "interest": "visits and looks at products",
    "discounts": "use of discounts",
    "returns": "goods sent back",
}
PLAIN_ORDER = (VALUE, OUTLOOK, RHYTHM, TREND, BREADTH, LOYALTY)

Fact = Callable[[Profiles, int], Iterator[Reason]]


@dataclass(frozen=True, slots=True)
class WhyWriter:
    """Writes the facts of customers on a list.

    Attributes
    ----------
    currency : of amounts in sentences; None leaves it out
    """

    models: CustomerModels
    currency: str | None

    def whys(self, figures: Profiles, positions: Counts, *, warning: bool) -> Iterator[tuple[int, tuple[Reason, ...]]]:
        """Three facts of each customer asked for: what put them on the list at all, then what moves them most.

        Parameters
        ----------
        positions
            Of those on the list, within the batch of `figures`.
        warning
            It is the early warning list, not the win-back list.
        """
        weights = family_weights(figures, self.models, warning=warning)
        for position in positions.tolist():
            yield position, self._of_one(figures, position, weights)

    def _of_one(self, figures: Profiles, position: int, weights: dict[str, Vector]) -> tuple[Reason, ...]:
        found = [self._membership(figures, position)]
        strength = {family: abs(float(weights[family][position])) for family in weights}
        order = sorted(FAMILIES, key=lambda family: -strength[family]) if weights else list(PLAIN_ORDER)
        for family in (*order, *PLAIN_ORDER):  # the plain ones always have something to say
            known = {reason.code for reason in found}
            if len(known) == FACTS:
                break
            signed = float(weights[family][position]) if weights else 0.0
            found += [
                reason for reason in self._of_family(family, figures, position, signed) if reason.code not in known
            ]
        return tuple(found[:FACTS])

    def _membership(self, figures: Profiles, position: int) -> Reason:
        signs = figures.signs
        if signs.falling[position]:
            return next(self._trend(figures, position))
        if signs.off_rhythm[position] and not signs.overdue[position]:
            return self._off_rhythm(figures, position)
        return next(self._rhythm(figures, position))

    def _of_family(self, family: str, figures: Profiles, position: int, weight: float) -> Iterator[Reason]:
        told: dict[str, Fact] = {
            VALUE: self._value,
            RHYTHM: self._rhythm,
            TREND: self._trend,
            BREADTH: self._breadth,
            LOYALTY: self._loyalty,
            OUTLOOK: self._outlook,
        }
        if family in told:
            yield from told[family](figures, position)
        elif abs(weight) >= TELLING:
            text = f"{WORDS[family]} {'raise' if weight > 0 else 'lower'} their place on this list, all else equal"
            yield Reason(family, text, {"times_the_average": round(float(np.exp(weight)), 2)})

    def _value(self, figures: Profiles, position: int) -> Iterator[Reason]:
        spend, orders = float(figures.spend[position]) / MINOR_UNITS, int(figures.orders[position])
        text = f"spent {self._money(spend)} in {_counted(orders, 'order')}"
        evidence: dict[str, str | int | float] = {"spend": spend, "orders": orders}
        amount, standing = np.array([spend]), self.models.standing
        below, above = standing.percent_below("spend", amount), standing.percent_above("spend", amount)
        if below is not None and above is not None:
            more = bool(below[0] >= above[0])
            percent = min(int(below[0] if more else above[0]), 99)
            text = f"{text}, {'more' if more else 'less'} than {percent} % of customers"
            evidence |= {"percent_below" if more else "percent_above": percent}
        yield Reason("value", text, evidence)

    def _rhythm(self, figures: Profiles, position: int) -> Iterator[Reason]:
        silence, orders = int(figures.days_since_last_purchase[position]), int(figures.orders[position])
        if orders == 1:
            yield Reason("one_order", f"ordered once, {_counted(silence, 'day')} ago", {"days_since": silence})
            return
        gap = max(round(float(figures.facts.typical_gap_days[position])), 1)
        used = "used to order" if figures.has_lapsed()[position] else "usually orders"
        every = "every day" if gap == 1 else f"every {gap} days"
        evidence = {"usual_gap_days": gap, "days_since": silence}
        yield Reason("rhythm", f"{used} {every}; silent for {_counted(silence, 'day')}", evidence)

    def _off_rhythm(self, figures: Profiles, position: int) -> Reason:
        usual, now = (_percent(one[position]) for one in (figures.signs.rhythm_returns, figures.probability_of_return))
        days = self.models.economics.horizon_days
        text = f"on their own rhythm {usual} % would order within {days} days; customers like this do in {now} %"
        return Reason("off_rhythm", text, {"rhythm_percent": usual, "return_percent": now, "days": days})

    def _trend(self, figures: Profiles, position: int) -> Iterator[Reason]:
        signs = figures.signs
        now, usual = int(signs.recent_orders[position]), round(float(signs.usual_orders[position]))
        if usual >= 2 and now <= usual / 2:
            text = f"orders in the last {RECENT_DAYS} days fell from {usual} to {now or 'none'}"
            yield Reason("fewer_orders", text, {"usual_orders": usual, "orders": now, "days": RECENT_DAYS})
        elif signs.falling[position]:
            share = _percent(float(np.exp(figures.facts.spend_trend[position])))
            text = f"spend in the last {RECENT_DAYS} days fell to {share} % of the usual"
            yield Reason("less_spend", text, {"percent_of_usual": share, "days": RECENT_DAYS})

    def _breadth(self, figures: Profiles, position: int) -> Iterator[Reason]:
        items = figures.facts.items_per_order[position : position + 1]
        percent = self.models.standing.percent_below("items_per_order", items)
        if percent is not None and percent[0] >= MANY:
            count, share = round(float(items[0])), min(int(percent[0]), 99)
            text = f"buys {_counted(count, 'product')} an order, more than {share} % of customers"
            yield Reason("breadth", text, {"products_an_order": count, "percent_below": share})

    def _loyalty(self, figures: Profiles, position: int) -> Iterator[Reason]:
        days = int(figures.facts.summary.T[position])
        if days >= LOYAL_DAYS:
            yield Reason("loyalty", f"a customer for {days // 365} years", {"days_since_first": days})

    def _outlook(self, figures: Profiles, position: int) -> Iterator[Reason]:
        returns, value = float(figures.probability_of_return[position]), float(figures.value_given_return[position])
        days = self.models.economics.horizon_days
        text = f"{_of_ten(returns)} customers like this return by themselves within {days} days"
        text = f"{text}, and then spend about {self._money(value)}"
        evidence = {"return_percent": _percent(returns), "days": days, "spend_then": round(value, 2)}
        yield Reason("outlook", text, evidence)

    def _money(self, amount: float) -> str:
        return f"{amount:,.0f} {self.currency}" if self.currency else f"{amount:,.0f}"


def _of_ten(probability: float) -> str:
    tenths = round(10 * probability)
    return {0: "hardly any", 10: "nearly all"}.get(tenths, f"{tenths} of 10")


def _percent(share: float) -> int:
    return round(100 * float(share))


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
