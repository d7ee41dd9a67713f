"""A customer as the caller sees them: figures of the day, in the words of the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from recsvc.domain.history import Histories
from recsvc.domain.layers import ACTIONS, LABELS, LAYERS
from recsvc.domain.profiles import CustomerModels, Profiles, profiles
from recsvc.domain.segments import SEGMENTS
from recsvc.serving.slate import CustomerState

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


def customer_state(history: Histories, models: CustomerModels, now_day: int, places: Places = NOWHERE) -> CustomerState:
    """State of one customer who has at least one order.

    Parameters
    ----------
    history
        A batch of one.
    now_day : days since 1970-01-01
        An order of today still counts as past.
    """
    return state_at(profiles(history, models, judged_on(history, now_day)), 0, places)


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
