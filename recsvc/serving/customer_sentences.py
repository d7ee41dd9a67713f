"""Facts about customers in sentences for the retailer, each with the figures it rests on.

A fact is of this customer, or a share of everybody; never of another customer, and never a sensitive category. One more
kind of fact (say, categories a customer let lapse) is one more function here and one more entry of `SENTENCES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from recsvc.domain.customer_features import RECENT_DAYS
from recsvc.domain.profiles import CustomerModels, Profiles
from recsvc.domain.rfm import MINOR_UNITS
from recsvc.domain.why import BREADTH, LOYALTY, OUTLOOK, RHYTHM, TREND, VALUE
from recsvc.serving.slate import Reason

MANY = 75  # percent of customers below: fewer make a basket no broad one
LOYAL_DAYS = 2 * 365
FEW = 2.0  # orders in 90 days: from fewer nothing falls


@dataclass(frozen=True, slots=True)
class Told:
    """Whom a sentence is about: one customer of a batch, and for which list.

    Attributes
    ----------
    currency : of amounts; None leaves it out
    warning : for the early warning list, not the win-back list
    """

    figures: Profiles
    models: CustomerModels
    currency: str | None
    warning: bool
    position: int

    @property
    def horizon_days(self) -> int:
        """Window of "will they return"."""
        return self.models.economics.horizon_days

    def money(self, amount: float) -> str:
        """Whole units of the currency."""
        return f"{amount:,.0f} {self.currency}" if self.currency else f"{amount:,.0f}"


def value(told: Told) -> Reason:
    """What the customer spent, beside everybody."""
    spend, orders = float(told.figures.spend[told.position]) / MINOR_UNITS, int(told.figures.orders[told.position])
    text, evidence = f"spent {told.money(spend)} in {_counted(orders, 'order')}", {"spend": spend, "orders": orders}
    standing, amount = told.models.standing, np.array([spend])
    below, above = standing.percent_below("spend", amount), standing.percent_above("spend", amount)
    if below is None or above is None:
        return Reason("value", text, evidence)
    is_more = bool(below[0] >= above[0])
    percent = min(int(below[0] if is_more else above[0]), 99)
    text = f"{text}, {'more' if is_more else 'less'} than {percent} % of customers"
    return Reason("value", text, {**evidence, "percent_below" if is_more else "percent_above": percent})


def rhythm(told: Told) -> Reason:
    """How often the customer orders, and how long they have been silent."""
    silence = int(told.figures.days_since_last_purchase[told.position])
    if told.figures.orders[told.position] == 1:
        return Reason("one_order", f"ordered once, {_counted(silence, 'day')} ago", {"days_since": silence})
    gap = max(round(float(told.figures.facts.typical_gap_days[told.position])), 1)
    used = "used to order" if told.figures.has_lapsed()[told.position] else "usually orders"
    every = "nearly every day" if gap == 1 else f"every {gap} days"
    text, evidence = (
        f"{used} {every}; silent for {_counted(silence, 'day')}",
        {"usual_gap_days": gap, "days_since": silence},
    )
    if not (told.warning and told.figures.has_lapsed()[told.position]):
        return Reason("rhythm", text, evidence)
    percent = _percent(told.figures.probability_of_return[told.position])
    text = f"{text}, though {percent} % of customers like this still return"
    return Reason("rhythm", text, {**evidence, "return_percent": percent})


def off_rhythm(told: Told) -> Reason:
    """How much less likely an order is than the customer's own rhythm implies."""
    usual = _percent(told.figures.signs.rhythm_returns[told.position])
    now, days = _percent(told.figures.probability_of_return[told.position]), told.horizon_days
    text = f"on their own rhythm {usual} % would order within {days} days; customers like this do in {now} %"
    return Reason("off_rhythm", text, {"rhythm_percent": usual, "return_percent": now, "days": days})


def trend(told: Told) -> Reason | None:
    """How far orders, or else spend, have fallen; None where they have not."""
    signs = told.figures.signs
    now, usual = int(signs.recent_orders[told.position]), float(signs.usual_orders[told.position])
    if usual >= FEW and now <= usual / 2:
        text = f"orders in the last {RECENT_DAYS} days fell from {usual:.0f} to {now or 'none'}"
        return Reason("fewer_orders", text, {"usual_orders": round(usual), "orders": now, "days": RECENT_DAYS})
    if not signs.falling[told.position]:
        return None
    share = _percent(np.exp(told.figures.facts.spend_trend[told.position]))
    text = f"spend in the last {RECENT_DAYS} days fell to {share} % of the usual"
    return Reason("less_spend", text, {"percent_of_usual": share, "days": RECENT_DAYS})


def breadth(told: Told) -> Reason | None:
    """How many products an order holds, where that is many."""
    items = told.figures.facts.items_per_order[told.position : told.position + 1]
    percent = told.models.standing.percent_below("items_per_order", items)
    if percent is None or percent[0] < MANY:
        return None
    count, share = round(float(items[0])), min(int(percent[0]), 99)
    text = f"buys {_counted(count, 'product')} an order, more than {share} % of customers"
    return Reason("breadth", text, {"products_an_order": count, "percent_below": share})


def loyalty(told: Told) -> Reason | None:
    """For how many years the customer has been one, where that is long."""
    days = int(told.figures.facts.summary.T[told.position])
    if days < LOYAL_DAYS:
        return None
    return Reason("loyalty", f"a customer for {days // 365} years", {"days_since_first": days})


def outlook(told: Told) -> Reason:
    """How many customers like this return by themselves, or on the warning list do not, and what that is worth."""
    days, returns = told.horizon_days, float(told.figures.probability_of_return[told.position])
    if told.warning:
        stake = float(told.figures.value_at_stake[told.position])
        percent = max(_percent(1.0 - returns), 1)
        text = f"{percent} % of customers like this stay away for {days} days: {told.money(stake)} at stake"
        return Reason("at_stake", text, {"churn_percent": percent, "days": days, "stake": _cents(stake)})
    then = float(told.figures.value_given_return[told.position])
    text = f"{_of_ten(returns)} customers like this return by themselves within {days} days"
    text = f"{text}, and then spend about {told.money(then)}"
    return Reason("outlook", text, {"return_percent": _percent(returns), "days": days, "spend_then": _cents(then)})


SENTENCES: Final[dict[str, Callable[[Told], Reason | None]]] = {
    VALUE: value,
    OUTLOOK: outlook,
    RHYTHM: rhythm,
    TREND: trend,
    BREADTH: breadth,
    LOYALTY: loyalty,
}


def _of_ten(probability: float) -> str:
    tenths = round(10 * probability)
    return {0: "hardly any", 10: "nearly all"}.get(tenths, f"{tenths} of 10")


def _percent(share: float) -> int:
    return round(100 * float(share))


def _cents(amount: float) -> float:
    return round(amount, 2)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
