"""What a customer's touchpoints say, as plain facts: the part of `customer_features` that orders alone do not know.

Whoever has no touchpoints of a kind is in the middle: every fact about it is 0, which says neither good nor bad. So a
shop without a table has a constant, from which nothing is learned.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from recsvc.domain.arrays import Counts, Mask, Vector
from recsvc.domain.touchpoints import KINDS, Touchpoints

RECENT_DAYS, YEAR_DAYS = 90, 365
BROWSING, CARTS = ("view", "cart", "wishlist"), ("cart", "wishlist")
PRESENCE = (*BROWSING, "visit", "login", "usage")
PRESENCE_HALF_LIFE_DAYS, COMPLAINT_HALF_LIFE_DAYS = 30.0, 90.0
TREND_DAYS = 30
USUAL_CONTACTS = 5.0  # contacts' worth of the usual share that everybody is credited with
USUAL_OPENED, USUAL_CLICKED = 0.25, 0.03  # of e-mails, anywhere; only the middle that few contacts are drawn to
NEUTRAL_NPS, HALF_NPS = 7.5, 2.5  # between passive and promoter; to the best score
NEUTRAL_CSAT, HALF_CSAT = 0.5, 0.5


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
    seen = _Seen(touchpoints, as_of_day)
    return TouchFacts(
        returned=seen.total(("return",)),
        discounted=seen.total(("discount",)),
        browsed=seen.total(BROWSING, RECENT_DAYS),
        carted=seen.total(CARTS, RECENT_DAYS),
        visited=seen.total(("visit", "login", "usage"), RECENT_DAYS),
        presence=seen.freshness(PRESENCE, PRESENCE_HALF_LIFE_DAYS),
        presence_trend=_trend(seen.total(PRESENCE, TREND_DAYS), seen.total(PRESENCE, 3 * TREND_DAYS)),
        contacted=seen.total(("contact",), RECENT_DAYS),
        opened=seen.response("open", USUAL_OPENED),
        clicked=seen.response("click", USUAL_CLICKED),
        nps=seen.last("nps", NEUTRAL_NPS) / HALF_NPS,
        csat=seen.last("csat", NEUTRAL_CSAT) / HALF_CSAT,
        complaints=seen.total(("complaint",), YEAR_DAYS),
        complained=seen.freshness(("complaint",), COMPLAINT_HALF_LIFE_DAYS),
        sentiment=seen.total(("sentiment",), YEAR_DAYS) / (seen.days(("sentiment",), YEAR_DAYS) + 1.0),
    )


class _Seen:
    """Touchpoints as seen from a day, to be summed up by kind."""

    def __init__(self, touchpoints: Touchpoints, as_of_day: int) -> None:
        self._kind, self._whose = touchpoints.kind, touchpoints.customer()
        self._value = touchpoints.value.astype(np.float64)
        self._age_days = (as_of_day - touchpoints.day).astype(np.float64)
        self._n_customers = len(touchpoints.offsets) - 1

    def total(self, kinds: tuple[str, ...], within_days: float = np.inf) -> Vector:
        """Sum of values per customer."""
        return self._summed(self._of(kinds, within_days), self._value)

    def days(self, kinds: tuple[str, ...], within_days: float) -> Vector:
        """Days with such a touchpoint per customer."""
        return self._summed(self._of(kinds, within_days), np.ones(len(self._value)))

    def freshness(self, kinds: tuple[str, ...], half_life_days: float) -> Vector:
        """How lately the latest was: 1 now, a half after one half-life, 0 never."""
        whose, rows = self._latest(self._of(kinds, np.inf))
        found = np.zeros(self._n_customers)
        found[whose] = 0.5 ** (self._age_days[rows] / half_life_days)
        return found

    def last(self, kind: str, neutral: float) -> Vector:
        """Latest value less the neutral one; 0 without any."""
        whose, rows = self._latest(self._of((kind,), np.inf))
        found = np.zeros(self._n_customers)
        found[whose] = self._value[rows] - neutral
        return found

    def response(self, kind: str, usual: float) -> Vector:
        """Share of contacts that were followed by something, less the usual share, shrunk to 0."""
        contacts, answers = self.total(("contact",), YEAR_DAYS), self.total((kind,), YEAR_DAYS)
        share = (answers + USUAL_CONTACTS * usual) / (np.maximum(contacts, answers) + USUAL_CONTACTS)
        return share - usual

    def _of(self, kinds: tuple[str, ...], within_days: float) -> Mask:
        wanted = np.isin(np.arange(len(KINDS)), [KINDS.index(kind) for kind in kinds])
        return wanted[self._kind] & (self._age_days <= within_days)

    def _summed(self, rows: Mask, value: Vector) -> Vector:
        return np.bincount(self._whose[rows], value[rows], self._n_customers).astype(np.float64)

    def _latest(self, rows: Mask) -> tuple[Counts, Counts]:
        """Customers who have such rows, and the last one of each."""
        found = np.flatnonzero(rows)
        whose = self._whose[found]
        is_last = np.append(whose[1:] != whose[:-1], True)[: len(found)]
        return whose[is_last], found[is_last]


def _trend(recent: Vector, quarter: Vector) -> Vector:
    """Log ratio of the last 30 days to a mean 30 of the 60 before, half a touchpoint added to both."""
    return np.log((recent + 0.5) / ((quarter - recent) / 2.0 + 0.5))
