"""A customer as the caller sees them: figures of the day, in the words of the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from recsvc.domain.course import Course
from recsvc.domain.history import Histories
from recsvc.domain.lapse import STATES
from recsvc.domain.layers import ACTIONS, LABELS, LAYERS
from recsvc.domain.profiles import Profiles
from recsvc.domain.segments import SEGMENTS, segment_name
from recsvc.serving.slate import CustomerState, CustomerSummary

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Places:
    """1-based places of a customer on the bundle's lists; None when not on it."""

    win_back: int | None = None
    early_warning: int | None = None


NOWHERE = Places()


def day_of(moment: datetime) -> int:
    """Days since 1970-01-01 of a tz-aware moment."""
    return (moment - EPOCH).days


def moment_of(day: int) -> datetime:
    """Midnight UTC at which a day begins."""
    return EPOCH + timedelta(days=day)


def summary_at(course: Course, now_day: int) -> CustomerSummary:
    """Where a customer stands on a day, days since 1970-01-01; an order of that day counts as past."""
    silence = course.silence_days(now_day)
    state, since = course.state(silence)
    valuable = course.is_high_value(silence)
    return CustomerSummary(
        state=STATES[state],
        state_since=moment_of(since),
        high_value=valuable,
        segment=segment_name(valuable, state),
        orders=course.orders,
        days_since_last_purchase=silence,
    )


def judged_on(history: Histories, now_day: int) -> int:
    """Day a customer is judged on: now, or after an order of today; days since 1970-01-01, exclusive."""
    return max(now_day, int(history.last_order_day()[0]) + 1)


def state_at(figures: Profiles, position: int, places: Places = NOWHERE) -> CustomerState:
    """State of the customer at one position of a batch; what they like and why they are listed is not in it."""
    lapse, layer = figures.lapse, LAYERS[figures.layer[position]]
    return CustomerState(
        state=lapse.name(position),
        state_since=moment_of(int(lapse.since_day[position])),
        next_state_on=moment_of(int(lapse.next_day[position])) if lapse.has_next[position] else None,
        high_value=bool(figures.high_value[position]),
        segment=SEGMENTS[figures.segment[position]],
        layer=layer,
        layer_label=LABELS[layer],
        what_to_do=ACTIONS[layer],
        orders=int(figures.orders[position]),
        days_since_last_purchase=int(figures.days_since_last_purchase[position]),
        spend=int(figures.spend[position]),
        probability_alive=float(figures.probability_alive[position]),
        probability_of_return=float(figures.probability_of_return[position]),
        churn_probability=float(figures.churn_probability[position]),
        expected_purchases=float(figures.expected_purchases[position]),
        expected_average_value=float(figures.expected_average_value[position]),
        clv=float(figures.clv[position]),
        expected_value_of_contact=float(figures.expected_value_of_contact[position]),
        spend_per_year=float(figures.spend_per_year[position]),
        value_at_stake=float(figures.value_at_stake[position]),
        win_back_rank=places.win_back,
        early_warning_rank=places.early_warning,
    )
