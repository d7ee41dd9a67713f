"""What a customer's touchpoints say, as plain facts: the part of `customer_features` that orders alone do not know.

Whoever has no touchpoints of a kind is in the middle: every fact about it is 0, which says neither good nor bad. So a
shop without a table has a constant, from which nothing is learned.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from recsvc.domain.arrays import Mask, Vector
from recsvc.domain.touchpoints import KINDS, Touchpoints

RECENT_DAYS, YEAR_DAYS = 90, 365
TREND_DAYS = 30
PRESENCE_HALF_LIFE_DAYS, COMPLAINT_HALF_LIFE_DAYS = 30.0, 90.0
USUAL_CONTACTS = 5.0  # contacts' worth of the usual share that everybody is credited with
USUAL_OPENED, USUAL_CLICKED = 0.25, 0.03  # of e-mails, anywhere; only the middle that few contacts are drawn to
NEUTRAL_NPS, HALF_NPS = 7.5, 2.5  # between passive and promoter; to the best score
NEUTRAL_CSAT, HALF_CSAT = 0.5, 0.5


def _positions(*kinds: str) -> list[int]:
    return [KINDS.index(kind) for kind in kinds]


RETURN, DISCOUNT = _positions("return"), _positions("discount")
BROWSING, CARTS = _positions("view", "cart", "wishlist"), _positions("cart", "wishlist")
VISITS = _positions("visit", "login", "usage")
PRESENCE = [*BROWSING, *VISITS]
CONTACT, OPEN, CLICK = _positions("contact"), _positions("open"), _positions("click")
NPS, CSAT, COMPLAINT, SENTIMENT = (_positions(kind) for kind in ("nps", "csat", "complaint", "sentiment"))


@dataclass(frozen=True, slots=True)
class TouchFacts:
    """Facts about each customer's touchpoints; every array has shape (n_customers,), and 0 where there are none.

    Attributes
    ----------
    returned, discounted : currency units, ever; worth of what was sent back, and taken off prices
    browsed, carted, visited : counts in the last 90 days; views, carts and wishlists; the latter two; visits, logins
        and usage
    presence : in [0, 1]; 1 just after any of these, half a month later
    presence_trend : log of these in the last 30 days over 30 usual days of the 60 before
    contacted : count in the last 90 days
    opened, clicked : share of a year's contacts less the usual share, shrunk to 0; in (-1, 1)
    nps, csat : last answer, in units of the distance from the neutral to the best one
    complaints : count in the last 365 days
    complained : in [0, 1]; 1 just after a complaint, half three months later
    sentiment : in (-1, 1); mean of the last 365 days, shrunk to 0
    """

    returned: Vector
    discounted: Vector
    browsed: Vector
    carted: Vector
    visited: Vector
    presence: Vector
    presence_trend: Vector
    contacted: Vector
    opened: Vector
    clicked: Vector
    nps: Vector
    csat: Vector
    complaints: Vector
    complained: Vector
    sentiment: Vector


def touch_facts(touchpoints: Touchpoints, as_of_day: int) -> TouchFacts:
    """Facts about the customers of a batch.

    Parameters
    ----------
    touchpoints
        All before `as_of_day`.
    as_of_day : days since 1970-01-01, exclusive

    Examples
    --------
    One complaint, 90 days before.

    >>> day, kind = np.array([10], np.int32), np.array([KINDS.index("complaint")], np.int8)
    >>> facts = touch_facts(Touchpoints(np.array([0, 1]), day, kind, np.ones(1, np.float32)), 100)
    >>> facts.complaints, facts.complained, facts.nps
    (array([1.]), array([0.5]), array([0.]))
    """
    if not len(touchpoints):
        nothing = np.zeros(len(touchpoints.offsets) - 1)
        return TouchFacts(*(nothing for _ in fields(TouchFacts)))
    seen = _seen(touchpoints, as_of_day)
    return TouchFacts(
        returned=_sum(seen.ever, RETURN),
        discounted=_sum(seen.ever, DISCOUNT),
        browsed=_sum(seen.quarter, BROWSING),
        carted=_sum(seen.quarter, CARTS),
        visited=_sum(seen.quarter, VISITS),
        presence=_freshness(seen, PRESENCE, PRESENCE_HALF_LIFE_DAYS),
        presence_trend=_trend(_sum(seen.month, PRESENCE), _sum(seen.quarter, PRESENCE)),
        contacted=_sum(seen.quarter, CONTACT),
        opened=_response(seen, OPEN, USUAL_OPENED),
        clicked=_response(seen, CLICK, USUAL_CLICKED),
        nps=_answer(seen, NPS, NEUTRAL_NPS, HALF_NPS),
        csat=_answer(seen, CSAT, NEUTRAL_CSAT, HALF_CSAT),
        complaints=_sum(seen.year, COMPLAINT),
        complained=_freshness(seen, COMPLAINT, COMPLAINT_HALF_LIFE_DAYS),
        sentiment=_sum(seen.year, SENTIMENT) / (_sum(seen.days_of_year, SENTIMENT) + 1.0),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """Touchpoints as seen from a day; every array has shape (n_customers, n_kinds).

    Attributes
    ----------
    ever, year, quarter, month : sums of values; all, and those of the last 365, 90 and 30 days
    days_of_year : days of the last 365 with such a touchpoint
    age_days : since the latest; infinite for none
    latest : its value; 0 for none
    """

    ever: Vector
    year: Vector
    quarter: Vector
    month: Vector
    days_of_year: Vector
    age_days: Vector
    latest: Vector


def _seen(touchpoints: Touchpoints, as_of_day: int) -> _Seen:
    n_customers = len(touchpoints.offsets) - 1
    cell = touchpoints.customer() * len(KINDS) + touchpoints.kind
    value, age_days = touchpoints.value.astype(np.float64), (as_of_day - touchpoints.day).astype(np.float64)
    shape = (n_customers, len(KINDS))

    def totals(within: Mask, weight: Vector) -> Vector:
        return np.bincount(cell[within], weight[within], n_customers * len(KINDS)).reshape(shape).astype(np.float64)

    of_year = age_days <= YEAR_DAYS
    by_cell = np.argsort(cell, kind="stable")  # days stay in order, so the last of each cell is the latest
    last = by_cell[np.append(np.diff(cell[by_cell]) != 0, True)]
    age, latest = np.full(n_customers * len(KINDS), np.inf), np.zeros(n_customers * len(KINDS))
    age[cell[last]], latest[cell[last]] = age_days[last], value[last]
    return _Seen(
        ever=totals(age_days <= np.inf, value),
        year=totals(of_year, value),
        quarter=totals(age_days <= RECENT_DAYS, value),
        month=totals(age_days <= TREND_DAYS, value),
        days_of_year=totals(of_year, np.ones(len(cell))),
        age_days=age.reshape(shape),
        latest=latest.reshape(shape),
    )


def _sum(totals: Vector, kinds: list[int]) -> Vector:
    return np.asarray(totals[:, kinds].sum(axis=1), np.float64)


def _freshness(seen: _Seen, kinds: list[int], half_life_days: float) -> Vector:
    """How lately the latest was: 1 now, a half after one half-life, 0 never."""
    return np.asarray(0.5 ** (seen.age_days[:, kinds].min(axis=1) / half_life_days), np.float64)


def _answer(seen: _Seen, kinds: list[int], neutral: float, half: float) -> Vector:
    """Latest answer, in units of the distance from the neutral to the best one; 0 without any."""
    given = np.isfinite(seen.age_days[:, kinds[0]])
    return np.where(given, (seen.latest[:, kinds[0]] - neutral) / half, 0.0)


def _response(seen: _Seen, kinds: list[int], usual: float) -> Vector:
    """Share of a year's contacts that were followed by something, less the usual share, shrunk to 0."""
    contacts, answers = _sum(seen.year, CONTACT), _sum(seen.year, kinds)
    return (answers + USUAL_CONTACTS * usual) / (np.maximum(contacts, answers) + USUAL_CONTACTS) - usual


def _trend(recent: Vector, quarter: Vector) -> Vector:
    """Log ratio of the last 30 days to a mean 30 of the 60 before, half a touchpoint added to both."""
    return np.log((recent + 0.5) / ((quarter - recent) / 2.0 + 0.5))
