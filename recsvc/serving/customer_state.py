"""A customer as the caller sees them: figures of the day, in the words of the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from recsvc.domain.history import Histories
from recsvc.domain.profiles import CustomerModels, Profiles, profiles
from recsvc.domain.segments import SEGMENTS
from recsvc.serving.slate import CustomerState

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(moment: datetime) -> int:
    """Days since 1970-01-01 of a tz-aware moment."""
    return (moment - EPOCH).days


def moment_of(day: int) -> datetime:
    """Midnight UTC at which a day begins."""
    return EPOCH + timedelta(days=day)


def customer_state(
    history: Histories, models: CustomerModels, now_day: int, win_back_rank: int | None
) -> CustomerState:
    """State of one customer who has at least one order.

    Parameters
    ----------
    history
        A batch of one.
    now_day : days since 1970-01-01
        An order of today still counts as past.
    win_back_rank : 1-based, in the bundle's list
    """
    as_of_day = max(now_day, int(history.last_order_day()[0]) + 1)
    return state_at(profiles(history, models, as_of_day), 0, win_back_rank)


def state_at(figures: Profiles, position: int, win_back_rank: int | None) -> CustomerState:
    """State of the customer at one position of a batch."""
    lapse = figures.lapse
    return CustomerState(
        state=lapse.name(position),
        state_since=moment_of(int(lapse.since_day[position])),
        next_state_on=moment_of(int(lapse.next_day[position])) if lapse.has_next[position] else None,
        high_value=bool(figures.high_value[position]),
        segment=SEGMENTS[figures.segment[position]],
        orders=int(figures.orders[position]),
        days_since_last_purchase=int(figures.days_since_last_purchase[position]),
        spend=int(figures.spend[position]),
        probability_alive=float(figures.probability_alive[position]),
        probability_of_return=float(figures.probability_of_return[position]),
        expected_purchases=float(figures.expected_purchases[position]),
        expected_average_value=float(figures.expected_average_value[position]),
        clv=float(figures.clv[position]),
        expected_value_of_contact=float(figures.expected_value_of_contact[position]),
        win_back_rank=win_back_rank,
    )
