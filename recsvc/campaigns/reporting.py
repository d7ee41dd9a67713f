"""From a launched campaign's name to its report: members, orders since, codes used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from recsvc.bundle.reader import Bundle
from recsvc.campaigns.campaign_file import campaign_of
from recsvc.campaigns.outcomes import CouponsUsed, Window, outcomes, window_of
from recsvc.campaigns.report import Report, report
from recsvc.serving.customer_state import moment_of
from recsvc.serving.live_data import LiveData
from recsvc.store.campaigns import Launch, Member
from recsvc.store.events import EventStore


def measure_window(launch: Launch, bundle: Bundle, now: datetime) -> Window:
    """Days whose orders count for a campaign."""
    days = campaign_of(launch).measure_days or bundle.models.economics.horizon_days
    return window_of(launch, days, now)


def report_of(
    launch: Launch, bundle: Bundle, live: LiveData, parts: Iterable[Sequence[Member]], events: EventStore, now: datetime
) -> Report:
    """Report of a launched campaign as of now, by every order the bundle and the live store know of."""
    campaign, window = campaign_of(launch), measure_window(launch, bundle, now)
    used = coupons_used(events, moment_of(window.first))
    return report(campaign, outcomes(bundle, live, campaign, parts, window, used), is_over=window.is_over)


def coupons_used(events: EventStore, since: datetime) -> CouponsUsed:
    """Day each code was first bought with from a moment on, by customer id and code."""
    used: dict[str, dict[str, date]] = defaultdict(dict)
    for event in events.of_kind("purchase", since=since):
        if "coupon" in event.details:
            code, on = str(event.details["coupon"]), event.occurred_at.date()
            used[event.customer_id][code] = min(on, used[event.customer_id].get(code, on))
    return used
