"""Past cut-offs to learn returning from: customers as they stood then, and what they did in the horizon that followed.

Records are cut before each cut-off, touchpoints too, and the value models and the clock are fitted on what is left. The
records were netted once, at `as_of`: an order before the cut-off that was returned after it is already smaller here
than it looked then. That is a leak into the features, allowed only because every label ends before `as_of` too; a
figure that is to be reported as out of sample comes from a replay (`training.targeting`), never from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Counts, Mask, Vector
from recsvc.domain.customer_features import customer_facts, customer_features
from recsvc.domain.history import Histories, concatenate, take
from recsvc.domain.lapse import LapseThresholds, lapse_states
from recsvc.domain.past_records import records_before, spend_between
from recsvc.domain.rfm import gaps, rfm
from recsvc.domain.transactions import TransactionModel
from training.lapse import fit_lapse
from training.transactions import Recipe
from training.value import fit_value

SAMPLE = 20_000  # customers; records come in the order of a digest of the id, so the first are a fair sample
MAX_WINDOWS = 13
STEP_DAYS = 30  # with 13 windows: just over a year
TARGETED = ("late", "lapsed", "lost")


@dataclass(frozen=True, slots=True)
class Window:
    """The sample at one past cut-off, customers with an order before it; every array has shape (n_customers, ...).

    Attributes
    ----------
    day : days since 1970-01-01, the cut-off
    features : shape (n_customers, n_features), from data before the cut-off
    customer_row : which of the records each is
    past_spend : currency units so far
    targeted : who was late, lapsed or lost on their own clock
    value : currency units spent within the horizon
    returned : whether they ordered within it
    """

    day: int
    customer_row: Counts
    features: Vector
    past_spend: Vector
    targeted: Mask
    value: Vector
    returned: Mask

    def __len__(self) -> int:
        return len(self.value)


def sample_records(batches: Iterable[Histories]) -> Histories:
    """Records of the customers that are learned from, at most `SAMPLE`; at least one batch must come."""
    taken, size = [], 0
    for batch in batches:
        taken.append(batch)
        size += len(batch)
        if size >= SAMPLE:
            break
    found = concatenate(taken)
    return take(found, np.arange(min(SAMPLE, len(found))))


def past_windows(
    histories: Histories,
    thresholds: LapseThresholds,
    horizon_days: int,
    as_of_day: int,
    recipe: Recipe[TransactionModel],
) -> list[Window]:
    """Windows whose horizon ends by `as_of_day`, the latest first; none where history is too short.

    Each leaves at least half a horizon of history before it. Its BTYD features come from the transaction model that
    will be served, `recipe`, as it would have been fitted then.
    """
    first_day = int(histories.order_day.min())
    latest, earliest = as_of_day - horizon_days, first_day + max(horizon_days // 2, 1)
    days = range(latest, earliest - 1, -max(horizon_days // 3, STEP_DAYS))[:MAX_WINDOWS]
    return [window_at(histories, thresholds, horizon_days, day, recipe) for day in days]


def window_at(
    histories: Histories, thresholds: LapseThresholds, horizon_days: int, day: int, recipe: Recipe[TransactionModel]
) -> Window:
    """Customers at one cut-off, and what they did afterwards; somebody must have ordered before it."""
    past, known = records_before(histories, day)
    value, clock = fit_value(rfm(past, day), recipe).models, fit_lapse(gaps(past)).params
    facts = customer_facts(past, value, clock, horizon_days, day)
    state = lapse_states(clock, thresholds, facts.between, past.last_order_day(), day)
    spent, orders = spend_between(histories, day, day + horizon_days)
    return Window(
        day=day,
        customer_row=np.flatnonzero(known),
        features=customer_features(facts),
        past_spend=facts.spend,
        targeted=state.is_in(*TARGETED),
        value=spent[known],
        returned=orders[known] > 0,
    )
