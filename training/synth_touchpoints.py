"""Synthetic contacts, events and feedback: what customers show of being content, and of having left.

An order goes badly now and then, and mostly so for the last one before a customer drops out; answers, complaints and
reviews tell which. Whoever has not dropped out keeps visiting, in a pause too, and opens messages. So these tables say
what orders cannot: whether a silence is a pause or the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsvc.domain.arrays import AnyArray, Counts, Mask, Vector
from training.synth_customers import OrderDays, pick
from training.synth_orders import Group, customer_ids, moments
from training.synth_shop import WINDOW_DAYS

BAD_ORDER, BAD_LAST_ORDER = 0.05, 0.7
ASKED, REVIEWED, GAVE_REASON = 0.3, 0.1, 0.2
COMPLAINED = (0.01, 0.35)  # after a good order, after a bad one; so are the next two
NPS_MEAN, NPS_SPREAD = (8.8, 3.5), 1.3
STARS_MEAN, STARS_SPREAD = (4.5, 1.8), 0.6
DAYS_BETWEEN_VISITS = 12.0
LINGERING_DAYS = 10.0  # visits go on a little after the last order
EVENT_KINDS, EVENT_SHARES = ("view", "visit", "cart"), (0.55, 0.85, 1.0)
DAYS_BETWEEN_MAILINGS = 30
HELD_OUT = 0.1
OPENED, CLICKED = (0.06, 0.4), (0.05, 0.2)  # of those who left, of those who did not
GOOD_TEXTS = ("great quality, thank you", "fast delivery and friendly service", "love it, will buy again")
BAD_TEXTS = ("arrived broken and nobody answers", "terrible service, very disappointed", "late again, never again")
REASONS = ("too expensive", "delivery was too slow", "found a better shop", "poor quality")

FEEDBACK = pa.schema(
    {
        "customer_id": pa.string(),
        "occurred_at": pa.timestamp("s"),
        "kind": pa.string(),
        "score": pa.float64(),
        "text": pa.string(),
    }
)


@dataclass(frozen=True, slots=True)
class Course:
    """How it went for the customers of a group.

    Attributes
    ----------
    orders : what they ordered when
    bad : shape (n_orders,), which orders went badly
    end_day : shape (n_customers,), day of the window from which on they are gone
    is_fatal : shape (n_orders,), the last ones of those who drop out
    """

    orders: OrderDays
    bad: Mask
    end_day: Vector
    is_fatal: Mask

    @property
    def first_day(self) -> Counts:
        """Day of each customer's first order; after the window for nobody but those without any."""
        first = np.full(len(self.end_day), WINDOW_DAYS)
        np.minimum.at(first, self.orders.customer, self.orders.day)
        return first


def draw_course(orders: OrderDays, rng: np.random.Generator) -> Course:
    """Draw which orders went badly, and when those who drop out are gone."""
    is_last = np.append(orders.customer[1:] != orders.customer[:-1], True)
    fatal = is_last & orders.churned[orders.customer]
    bad = rng.random(len(orders.day)) < np.where(fatal, BAD_LAST_ORDER, BAD_ORDER)
    lingering = rng.exponential(LINGERING_DAYS, len(orders.churned))
    end_day = np.full(len(orders.churned), float(WINDOW_DAYS))
    end_day[orders.customer[fatal]] = orders.day[fatal] + lingering[orders.customer[fatal]]
    return Course(orders, bad, end_day, fatal)


def draw_feedback(group: Group, course: Course, rng: np.random.Generator) -> pa.Table:
    """Draw NPS, complaints, reviews (with stars or with a text) and reasons for leaving."""
    bad, n = course.bad, len(course.bad)
    nps = np.clip(np.rint(rng.normal(_by(bad, NPS_MEAN), NPS_SPREAD)), 0, 10)
    stars = np.clip(np.rint(rng.normal(_by(bad, STARS_MEAN), STARS_SPREAD)), 1, 5)
    said = np.where(bad, rng.choice(BAD_TEXTS, n), rng.choice(GOOD_TEXTS, n))
    asked, reviewed, starred = rng.random(n) < ASKED, rng.random(n) < REVIEWED, rng.random(n) < 0.5
    leaving = course.is_fatal & (rng.random(n) < GAVE_REASON)
    answers = (
        _Answers("nps", asked, 3, nps, None),
        _Answers("complaint", rng.random(n) < _by(bad, COMPLAINED), 1, None, said),
        _Answers("review", reviewed & starred, 5, stars, None),
        _Answers("review", reviewed & ~starred, 5, None, said),
        _Answers("churn_reason", leaving, 30, None, rng.choice(REASONS, n)),
    )
    return pa.concat_tables([_feedback(group, course, one, rng) for one in answers])


def draw_events(group: Group, course: Course, rng: np.random.Generator) -> pa.Table:
    """Draw visits, views and carts, from the first order until the customer is gone."""
    first = course.first_day
    stay = np.minimum(course.end_day, WINDOW_DAYS) - first
    customer = np.repeat(np.arange(len(first)), rng.poisson(np.maximum(stay, 0.0) / DAYS_BETWEEN_VISITS))
    day = np.floor(first[customer] + stay[customer] * rng.random(len(customer))).astype(np.int64)
    kind = np.array(EVENT_KINDS)[pick(EVENT_SHARES, len(customer), rng)]
    return pa.table(
        {
            "customer_id": customer_ids(group, customer),
            "kind": kind,
            "occurred_at": moments(day, rng),
        }
    )


def draw_contacts(group: Group, course: Course, rng: np.random.Generator) -> pa.Table:
    """Draw a mailing a month to everybody who has ordered, a tenth held out, and who opened and clicked."""
    mailing_days = np.arange(DAYS_BETWEEN_MAILINGS, WINDOW_DAYS, DAYS_BETWEEN_MAILINGS)
    mailing, customer = np.nonzero(course.first_day < mailing_days[:, None])
    day = mailing_days[mailing]
    here, n = day < course.end_day[customer], len(day)
    held_out = rng.random(n) < HELD_OUT
    opened = ~held_out & (rng.random(n) < _by(here, OPENED))
    clicked = opened & (rng.random(n) < _by(here, CLICKED))
    sent, later = moments(day, rng), moments(day + 1, rng)
    return pa.table(
        {
            "customer_id": customer_ids(group, customer),
            "campaign_id": np.char.add("M", mailing.astype(str)),
            "channel": np.full(n, "email"),
            "sent_at": sent,
            "opened_at": pc.if_else(pa.array(opened), later, None),
            "clicked_at": pc.if_else(pa.array(clicked), later, None),
            "held_out": held_out,
        }
    )


@dataclass(frozen=True, slots=True)
class _Answers:
    """One kind of feedback: after which orders, how many days later at most, and what it says."""

    kind: str
    given: Mask
    within_days: int
    score: Vector | None
    text: AnyArray | None


def _feedback(group: Group, course: Course, answers: _Answers, rng: np.random.Generator) -> pa.Table:
    day = course.orders.day + rng.integers(1, answers.within_days + 1, len(course.orders.day))
    rows = np.flatnonzero(answers.given & (day < WINDOW_DAYS))
    nothing = pa.nulls(len(rows))
    return pa.table(
        {
            "customer_id": customer_ids(group, course.orders.customer[rows]),
            "occurred_at": moments(day[rows], rng),
            "kind": np.full(len(rows), answers.kind),
            "score": pa.array(nothing if answers.score is None else answers.score[rows], pa.float64()),
            "text": nothing.cast(pa.string()) if answers.text is None else pa.array(answers.text[rows].tolist()),
        },
        schema=FEEDBACK,
    )


def _by(condition: Mask, values: tuple[float, float]) -> Vector:
    """The first value where a condition does not hold, the second where it does."""
    return np.where(condition, values[1], values[0])
