"""The trees' further features, by family: own purchases, timing, demand, neighbours, price, category, customer.

An item without a category, or a shop without categories, gets 0 in the family of categories: a constant no tree splits.
"""

from __future__ import annotations

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.details import Details, log_prices
from recsvc.domain.feature import Feature

PRIOR_REBUYS = 2.0  # gaps at the item's own pace that a customer's pace with it begins with


def _recent(d: Details) -> Vector:
    return d.items.n_recent_buyers[d.row].astype(np.float64) + 0.5


def _if_bought(d: Details, value: Vector) -> Vector:
    return np.where(d.signals.bought, value, 0.0)


def _log_days_since_item(d: Details) -> Vector:
    return np.log(np.maximum(d.signals.days_since_item, 1.0))


def _overdue_here(d: Details) -> Vector:
    """Log of days since the item over the customer's own gap with it, shrunk to the item's."""
    n_gaps = np.maximum(d.signals.order_days - 1.0, 0.0)
    pace = (d.signals.typical_gap_days * n_gaps + np.exp(d.items.rebuy_gap[d.row]) * PRIOR_REBUYS) / (
        n_gaps + PRIOR_REBUYS
    )
    return _log_days_since_item(d) - np.log(np.maximum(pace, 1.0))


def _overdue_anywhere(d: Details) -> Vector:
    spread = np.maximum(d.items.rebuy_spread[d.row], 1e-3)
    return (_log_days_since_item(d) - d.items.rebuy_gap[d.row]) / spread


def _share(part: Vector, whole: Vector) -> Vector:
    return part / np.maximum(whole, 1e-9)


def _category_demand(d: Details) -> Vector:
    known = d.items.second_category[d.row] > 0
    return np.where(known, np.log(_recent(d) / (d.items.n_category_buyers[d.row] + 5.0)), 0.0)


OWN: tuple[Feature[Details], ...] = (
    Feature(
        "decayed_month", "log(1 + order-days, half as much every 30 days)", lambda d: np.log1p(d.own.decayed_month)
    ),
    Feature(
        "decayed_year_share",
        "the item's part in order-days, half as much every year",
        lambda d: _share(d.own.decayed_year, d.totals.decayed_year),
    ),
    Feature(
        "in_last_3",
        "share of the last 3 orders that held it",
        lambda d: _share(d.own.in_last_3, np.clip(d.totals.orders, 1, 3)),
    ),
    Feature(
        "in_last_10",
        "share of the last 10 orders that held it",
        lambda d: _share(d.own.in_last_10, np.clip(d.totals.orders, 1, 10)),
    ),
    Feature("decayed_by_order", "order-days, 5 % less with every order since", lambda d: d.own.decayed_by_order),
    Feature("orders_since", "log(1 + orders since the last with it)", lambda d: np.log1p(d.own.orders_since)),
    Feature("amount", "log(1 + money spent on it)", lambda d: np.log1p(np.maximum(d.own.amount, 0.0))),
    Feature(
        "amount_share", "its part in the customer's spend", lambda d: d.own.amount / np.maximum(d.totals.spend, 1.0)
    ),
    Feature("quantity", "log(1 + units bought)", lambda d: np.log1p(d.quantity)),
)
TIMING: tuple[Feature[Details], ...] = (
    Feature("days_since_item", "log(1 + days since it), when bought", lambda d: np.log1p(d.signals.days_since_item)),
    Feature(
        "overdue",
        "how far past the gap usual for the item, in standard deviations",
        lambda d: _if_bought(d, _overdue_anywhere(d)),
    ),
    Feature(
        "overdue_here",
        "log of days since it over the customer's gap with it",
        lambda d: _if_bought(d, _overdue_here(d)),
    ),
    Feature("rebuy_gap", "mean log gap between purchases of it, by anybody", lambda d: d.items.rebuy_gap[d.row]),
    Feature("repeat_share", "its buyers who came back for it", lambda d: d.signals.repeat_share),
)
DEMAND: tuple[Feature[Details], ...] = (
    Feature(
        "week_share",
        "log share of customers who bought it in 7 days",
        lambda d: np.log((d.items.n_week_buyers[d.row] + 0.5) / d.items.n_customers),
    ),
    Feature(
        "quarter_share",
        "log share of customers who bought it in 90 days",
        lambda d: np.log((d.items.n_quarter_buyers[d.row] + 0.5) / d.items.n_customers),
    ),
    Feature(
        "trend_quarter",
        "log of recent buyers over those of 90 days",
        lambda d: np.log(_recent(d) / (d.items.n_quarter_buyers[d.row] + 2.0)),
    ),
    Feature(
        "trend_previous",
        "log of recent buyers over those of the window before",
        lambda d: np.log((d.items.n_recent_buyers[d.row] + 1.0) / (d.items.n_previous_buyers[d.row] + 1.0)),
    ),
    Feature(
        "age", "log(1 + days since its first sale)", lambda d: np.log1p(d.items.as_of_day - d.items.first_day[d.row])
    ),
    Feature(
        "last_sale",
        "log(1 + days since its last sale)",
        lambda d: np.log1p(d.items.as_of_day - d.items.last_day[d.row]),
    ),
    Feature(
        "comeback_lift",
        "log of its share in comebacks over that in other orders",
        lambda d: d.items.comeback_lift[d.row],
    ),
)
COMPANY: tuple[Feature[Details], ...] = (
    Feature("liked_close", "part of the customer's purchases that the same people like", lambda d: d.liked_close),
    Feature("bought_close", "part of the customer's purchases it is bought together with", lambda d: d.bought_close),
    Feature("last_close", "part of the last order it is bought together with", lambda d: d.last_close),
)
PRICE: tuple[Feature[Details], ...] = (
    Feature("price", "log of its last price", lambda d: log_prices(d.items, d.row)),
    Feature(
        "price_relative",
        "the same, less the mean of what the customer buys",
        lambda d: log_prices(d.items, d.row) - d.totals.price_level,
    ),
)
CATEGORY: tuple[Feature[Details], ...] = (
    Feature(
        "category_share",
        "its category's part in the customer's purchases",
        lambda d: _share(d.decayed_in_second, d.totals.decayed),
    ),
    Feature(
        "share_of_category",
        "its part in what the customer buys of its category",
        lambda d: np.where(d.decayed_in_second > 0, _share(d.signals.decayed_order_days, d.decayed_in_second), 0.0),
    ),
    Feature(
        "share_of_department",
        "the same one level up",
        lambda d: np.where(d.decayed_in_top > 0, _share(d.signals.decayed_order_days, d.decayed_in_top), 0.0),
    ),
    Feature("category_demand", "log of its part in its category's recent buyers", _category_demand),
)
CUSTOMER: tuple[Feature[Details], ...] = (
    Feature("orders", "log(1 + the customer's order-days)", lambda d: np.log1p(d.totals.orders)),
    Feature("silence", "log(1 + days since the last order)", lambda d: np.log1p(d.totals.silence_days)),
    Feature(
        "silence_in_gaps",
        "the same less the log of the usual gap",
        lambda d: np.log1p(d.totals.silence_days) - np.log(d.totals.usual_gap_days),
    ),
    Feature("items", "log(1 + distinct items bought)", lambda d: np.log1p(d.totals.items)),
    Feature("order_size", "log(1 + lines an order)", lambda d: np.log1p(_share(d.totals.lines, d.totals.orders))),
    Feature("repeats", "share of the customer's items bought again", lambda d: d.totals.repeat_share),
    Feature(
        "spend", "log(1 + spend an order)", lambda d: np.log1p(np.maximum(_share(d.totals.spend, d.totals.orders), 0.0))
    ),
)
DETAIL_FEATURES = (*OWN, *TIMING, *DEMAND, *COMPANY, *PRICE, *CATEGORY, *CUSTOMER)
