"""The one feature function of customers: what is known of somebody when their return is judged.

Training, `customers.parquet` and live profiles all call `customer_facts` and `customer_features`. Whatever is not in
the record or in the fitted value and lapse models does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from recsvc.domain.arrays import Mask, Vector
from recsvc.domain.history import Histories
from recsvc.domain.lapse import LapseParams, next_gap_quantiles, share_of_gaps_passed
from recsvc.domain.rfm import MINOR_UNITS, Gaps, Rfm, gaps, rfm
from recsvc.domain.touch_facts import TouchFacts, touch_facts
from recsvc.domain.value_models import (
    ValueModels,
    average_value,
    expected_purchases,
    probability_alive,
    probability_of_purchase,
)

RECENT_DAYS = 90
DAYS_PER_YEAR = 365.25
NEVER = 1e-4  # probabilities closer than this to 0 or 1 say no more
ONE_UNIT = 1.0  # currency units: keeps logarithms and ratios of money finite where nothing was paid


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """Plain facts about each customer, before any transformation; every array has shape (n_customers,).

    Attributes
    ----------
    summary, between : frequency, recency, age and money; gaps between orders
    orders : count of order-days, at least 1
    silence_days : since the last order, at least 1
    gaps_passed : share of the customer's own next gaps that the silence has outlasted, in [0, 1]
    typical_gap_days : median of the next gap on the personal clock, above 0
    spend, last_amount : currency units; over everything on record, and of the last order
    orders_trend, spend_trend : log of the last 90 days over what 90 days used to hold; 0 for newer customers
    items_per_order : distinct items of a mean order-day
    alive, returns : probabilities in [0, 1]; BTYD: active, and an order within the horizon
    purchases : orders expected within the horizon, BTYD
    average_value : currency units expected of an order, Gamma-Gamma
    season : angle of the middle of the horizon within the year, in radians
    touch : what else is known of them: returns, discounts, visits, contacts, answers
    """

    summary: Rfm
    between: Gaps
    orders: Vector
    silence_days: Vector
    gaps_passed: Vector
    typical_gap_days: Vector
    spend: Vector
    last_amount: Vector
    orders_trend: Vector
    spend_trend: Vector
    items_per_order: Vector
    alive: Vector
    returns: Vector
    purchases: Vector
    average_value: Vector
    season: Vector
    touch: TouchFacts


@dataclass(frozen=True, slots=True)
class CustomerFeature:
    """One column of the matrix the return model sees."""

    name: str
    meaning: str
    compute: Callable[[CustomerFacts], Vector]


FEATURES: tuple[CustomerFeature, ...] = (
    CustomerFeature("gaps_passed", "share of own gaps the silence has outlasted", lambda f: f.gaps_passed),
    CustomerFeature("surprise", "-log(1 - that share)", lambda f: -np.log(np.maximum(1 - f.gaps_passed, NEVER))),
    CustomerFeature("silence", "log(1 + days since the last order)", lambda f: np.log1p(f.silence_days)),
    CustomerFeature("typical_gap", "log of the median gap on the personal clock", lambda f: np.log(f.typical_gap_days)),
    CustomerFeature(
        "silence_in_gaps",
        "log of silence over the typical gap",
        lambda f: np.log1p(f.silence_days) - np.log(f.typical_gap_days),
    ),
    CustomerFeature(
        "irregularity", "log mean gap less mean log gap; 0 below two gaps", lambda f: _irregularity(f.between)
    ),
    CustomerFeature("orders", "log of order-days", lambda f: np.log(f.orders)),
    CustomerFeature("bought_once", "1 for a single order", lambda f: _flag(f.orders == 1)),
    CustomerFeature("tenure", "log of days since the first order", lambda f: np.log(f.summary.T)),
    CustomerFeature("spend", "log of spend", lambda f: np.log(f.spend + ONE_UNIT)),
    CustomerFeature("spend_per_order", "log of spend per order", lambda f: np.log(f.spend / f.orders + ONE_UNIT)),
    CustomerFeature("last_amount", "log of the last order over the mean one", lambda f: _last_over_mean(f)),
    CustomerFeature("orders_trend", "log of orders in 90 days over those usual before", lambda f: f.orders_trend),
    CustomerFeature("spend_trend", "log of spend in 90 days over that usual before", lambda f: f.spend_trend),
    CustomerFeature("breadth", "log(1 + distinct items of a mean order)", lambda f: np.log1p(f.items_per_order)),
    CustomerFeature("alive", "log odds of P(alive)", lambda f: _log_odds(f.alive)),
    CustomerFeature("btyd_return", "log odds of BTYD's P(return)", lambda f: _log_odds(f.returns)),
    CustomerFeature("btyd_purchases", "log of expected purchases", lambda f: np.log(f.purchases + NEVER)),
    CustomerFeature(
        "average_value", "log of Gamma-Gamma's average value", lambda f: np.log(f.average_value + ONE_UNIT)
    ),
    CustomerFeature("returned", "share of spend that was sent back", lambda f: _share(f.touch.returned, f.spend)),
    CustomerFeature("discounted", "share of prices taken off", lambda f: _share(f.touch.discounted, f.spend)),
    CustomerFeature("browsed", "log(1 + views, carts and wishlists in 90 days)", lambda f: np.log1p(f.touch.browsed)),
    CustomerFeature("carted", "log(1 + carts and wishlists in 90 days)", lambda f: np.log1p(f.touch.carted)),
    CustomerFeature("visited", "log(1 + visits, logins and usage in 90 days)", lambda f: np.log1p(f.touch.visited)),
    CustomerFeature("presence", "how lately seen: 1 today, half a month later", lambda f: f.touch.presence),
    CustomerFeature(
        "presence_trend", "log of 30 days' visits over those usual before", lambda f: f.touch.presence_trend
    ),
    CustomerFeature("contacted", "log(1 + contacts in 90 days)", lambda f: np.log1p(f.touch.contacted)),
    CustomerFeature("opened", "share of contacts opened, less the usual", lambda f: f.touch.opened),
    CustomerFeature("clicked", "share of contacts clicked, less the usual", lambda f: f.touch.clicked),
    CustomerFeature("nps", "last NPS answer, from neutral to best", lambda f: f.touch.nps),
    CustomerFeature("csat", "last CSAT answer, from neutral to best", lambda f: f.touch.csat),
    CustomerFeature("complaints", "log(1 + complaints in a year)", lambda f: np.log1p(f.touch.complaints)),
    CustomerFeature("complained", "how lately: 1 today, half after 90 days", lambda f: f.touch.complained),
    CustomerFeature("sentiment", "mean sentiment of a year's texts, shrunk", lambda f: f.touch.sentiment),
    CustomerFeature("season_sin", "sine of the season", lambda f: np.sin(f.season)),
    CustomerFeature("season_cos", "cosine of the season", lambda f: np.cos(f.season)),
)
FEATURE_NAMES = tuple(feature.name for feature in FEATURES)
CALENDAR = ("season_sin", "season_cos")


def customer_features(facts: CustomerFacts) -> Vector:
    """Columns of `FEATURES`, in that order; shape (n_customers, n_features), finite."""
    return np.stack([feature.compute(facts) for feature in FEATURES], axis=1)


def customer_facts(
    histories: Histories, value: ValueModels, clock: LapseParams, horizon_days: int, as_of_day: int
) -> CustomerFacts:
    """Facts about customers who all have at least one order, and none on or after `as_of_day`.

    Parameters
    ----------
    histories
        Their records.
    value, clock
        What was fitted on data before `as_of_day`.
    horizon_days : at least 1
        Window of "will they return", for the BTYD figures and the season.
    as_of_day : days since 1970-01-01, exclusive

    Raises
    ------
    DataError
        As in `rfm`.
    """
    summary, between = rfm(histories, as_of_day), gaps(histories)
    triple = (summary.frequency, summary.recency, summary.T)
    silence = summary.T - summary.recency
    orders_trend, spend_trend = _trends(histories, summary, as_of_day)
    return CustomerFacts(
        summary=summary,
        between=between,
        orders=summary.frequency + 1.0,
        silence_days=silence,
        gaps_passed=share_of_gaps_passed(clock, between, silence),
        typical_gap_days=next_gap_quantiles(clock, between, (0.5,))[:, 0],
        spend=np.add.reduceat(histories.order_amount, histories.order_offsets[:-1]) / MINOR_UNITS,
        last_amount=histories.order_amount[histories.order_offsets[1:] - 1] / MINOR_UNITS,
        orders_trend=orders_trend,
        spend_trend=spend_trend,
        items_per_order=np.diff(histories.line_offsets) / (summary.frequency + 1.0),
        alive=probability_alive(value.transactions, *triple),
        returns=probability_of_purchase(value.transactions, horizon_days, *triple),
        purchases=expected_purchases(value.transactions, horizon_days, *triple),
        average_value=average_value(value, summary),
        season=np.full(len(histories), (as_of_day + horizon_days / 2) / DAYS_PER_YEAR % 1.0 * 2.0 * np.pi),
        touch=touch_facts(histories.touchpoints, as_of_day),
    )


def _trends(histories: Histories, summary: Rfm, as_of_day: int) -> tuple[Vector, Vector]:
    """Log ratio of orders, and of spend, in the last 90 days to 90 days of the time before.

    Half an order, and half a mean order's worth, is added to both sides, so that few orders make no trend.
    """
    n, whose = len(histories), histories.order_customer()
    recent = histories.order_day >= as_of_day - RECENT_DAYS
    earlier_days = summary.T - RECENT_DAYS
    periods = np.maximum(earlier_days, 1.0) / RECENT_DAYS
    orders = np.bincount(whose, minlength=n)
    spend = np.bincount(whose, histories.order_amount, minlength=n)
    trends = []
    for total, now, half in (
        (orders, np.bincount(whose[recent], minlength=n), np.full(n, 0.5)),
        (
            spend,
            np.bincount(whose[recent], histories.order_amount[recent], minlength=n),
            spend / orders / 2 + MINOR_UNITS,
        ),
    ):
        trends.append(np.where(earlier_days > 0, np.log((now + half) / ((total - now) / periods + half)), 0.0))
    return trends[0], trends[1]


def _irregularity(between: Gaps) -> Vector:
    count = np.maximum(between.n_gaps, 1.0)
    mean, mean_log = np.maximum(between.sum_days, 1.0) / count, between.sum_log_days / count
    return np.where(between.n_gaps > 1, np.log(mean) - mean_log, 0.0)


def _last_over_mean(facts: CustomerFacts) -> Vector:
    return np.log((facts.last_amount + ONE_UNIT) / (facts.spend / facts.orders + ONE_UNIT))


def _share(part: Vector, rest: Vector) -> Vector:
    return part / (part + rest + ONE_UNIT)


def _log_odds(probability: Vector) -> Vector:
    return np.asarray(logit(np.clip(probability, NEVER, 1.0 - NEVER)), np.float64)


def _flag(mask: Mask) -> Vector:
    return mask.astype(np.float64)
