"""Who may be contacted now, on which channel and at what hour; and of everybody else, why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, NonNegativeInt, PositiveInt

from recsvc.domain.arrays import Counts, Mask
from recsvc.domain.documents import Section

REASONS: Final = (
    "personalisation_off",
    "held_out",
    "is_back",
    "unsubscribed",
    "no_consent",
    "cooling_off",
    "contact_cap",
)
Hour = Annotated[int, Field(ge=0, le=23)]
DAY = timedelta(days=1)


def _is_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is not an IANA time zone such as Europe/London")
    return name


Zone = Annotated[str, AfterValidator(_is_timezone)]


class ContactRules(Section):
    """When somebody may be contacted."""

    timezone: Zone = "UTC"
    """Of the shop: best hours are told in it, and customers of whom no zone is known live in it."""
    usual_hour: Hour = 10
    """For customers whose best hour is not known."""
    quiet_from: Hour = 21
    quiet_until: Hour = 8
    """No message from the one hour to the other, in the customer's own time zone; equal hours: never quiet."""
    cap: PositiveInt = 2
    cap_days: PositiveInt = 7
    """At most so many messages in so many days, over all campaigns and channels."""
    cooling_days: NonNegativeInt = 14
    """No message so long after a complaint or a return."""
    consent_when_unknown: bool = False
    """Whether somebody may be contacted of whom no consent is on record, because the sender checks it."""


@dataclass(frozen=True, slots=True)
class Contactable:
    """What decides about contact; every array has one row a customer, and one column a channel where there are two.

    Attributes
    ----------
    personalisation, held_out, is_back, cooling : bool; `is_back` says who has ordered since the bundle
    consent, unsubscribed : bool, shape (n_customers, n_channels)
    recent : count of messages within the cap's days
    preferred : column of the best channel, where `has_preferred`
    hour : 0 to 23, the best hour in the shop's zone, where `has_hour`
    zone : IANA names, None where unknown
    """

    personalisation: Mask
    held_out: Mask
    is_back: Mask
    unsubscribed: NDArray[np.bool_]
    consent: NDArray[np.bool_]
    cooling: Mask
    recent: Counts
    preferred: Counts
    has_preferred: Mask
    hour: Counts
    has_hour: Mask
    zone: Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Reach:
    """Who can be reached; arrays have shape (n_customers,).

    Attributes
    ----------
    reachable : bool
    reason : position in `REASONS` of what stands in the way first; means nothing where reachable
    channel : column; means nothing where not reachable
    """

    reachable: Mask
    reason: Counts
    channel: Counts

    def counts(self) -> Mapping[str, int]:
        """How many each reason keeps out, each customer counted once."""
        found = np.bincount(self.reason[~self.reachable], minlength=len(REASONS))
        return {reason: int(n) for reason, n in zip(REASONS, found, strict=True) if n}


def reach(customers: Contactable, rules: ContactRules) -> Reach:
    """Who may be contacted, on their preferred channel where that is open, else on the first that is."""
    open_ = customers.consent & ~customers.unsubscribed
    stands_in_the_way = np.stack(
        [
            ~customers.personalisation,
            customers.held_out,
            customers.is_back,
            ~open_.any(axis=1) & customers.unsubscribed.any(axis=1),
            ~open_.any(axis=1),
            customers.cooling,
            customers.recent >= rules.cap,
        ],
        axis=1,
    )
    rows = np.arange(len(open_))
    prefers = customers.has_preferred & open_[rows, np.where(customers.has_preferred, customers.preferred, 0)]
    channel = np.where(prefers, customers.preferred, open_.argmax(axis=1))
    return Reach(np.asarray(~stands_in_the_way.any(axis=1)), stands_in_the_way.argmax(axis=1), channel)


def send_times(customers: Contactable, rules: ContactRules, day: date, now: datetime) -> list[datetime]:
    """When each customer's message goes out: tz-aware, UTC.

    At the best hour of a day; later where that lies in the customer's quiet hours, and a day later where it is past.

    Examples
    --------
    >>> moment = datetime(2026, 3, 1, tzinfo=UTC)
    >>> _send_time(23, "Asia/Tokyo", ContactRules(), date(2026, 3, 2), moment).isoformat()
    '2026-03-02T23:00:00+00:00'
    """
    hours = np.where(customers.has_hour, customers.hour, rules.usual_hour).tolist()
    asked = list(zip(hours, customers.zone, strict=True))
    known = {one: _send_time(*one, rules, day, now) for one in set(asked)}
    return [known[one] for one in asked]


def _send_time(hour: int, zone: str | None, rules: ContactRules, day: date, now: datetime) -> datetime:
    moment = datetime.combine(day, time(hour), ZoneInfo(rules.timezone))
    if moment < now:
        moment = datetime.combine(now.astimezone(ZoneInfo(rules.timezone)).date(), time(hour), ZoneInfo(rules.timezone))
        moment = moment if moment >= now else moment + DAY
    return _after_quiet(moment.astimezone(ZoneInfo(zone or rules.timezone)), rules).astimezone(UTC)


def _after_quiet(local: datetime, rules: ContactRules) -> datetime:
    """The same moment, or the end of the quiet hours it lies in, in the customer's zone."""
    since_quiet = (local.hour - rules.quiet_from) % 24
    if since_quiet >= (rules.quiet_until - rules.quiet_from) % 24:
        return local
    end = local.replace(hour=rules.quiet_until, minute=0, second=0, microsecond=0)
    return end if end >= local else datetime.combine(local.date() + DAY, time(rules.quiet_until), local.tzinfo)
