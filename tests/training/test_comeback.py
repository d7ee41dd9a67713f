from __future__ import annotations

import numpy as np

from recsvc.domain.history import concatenate
from recsvc.domain.lapse import LapseParams, LapseThresholds, lapse_states
from recsvc.domain.rfm import gaps
from tests.domain.record_strategies import summary
from training.comeback import comeback_counts, is_comeback

CLOCK, SHARES = LapseParams(p=2.0, q=2.0, v=30.0), LapseThresholds()
REGULAR = [(day, 0, 1, 100) for day in (0, 10, 20, 30, 40)]


def bought(day, *items):
    return [(day, item, 1, 100) for item in items]


def test_an_order_after_a_long_silence_by_ones_own_rhythm_is_a_comeback():
    batch = summary({"a": [*REGULAR, *bought(400, 1)], "b": REGULAR})

    assert is_comeback(batch, CLOCK, SHARES).tolist() == [False] * 5 + [True] + [False] * 5


def test_every_order_is_judged_by_the_clock_as_it_stood_just_before_it():
    """The same verdict as the lapse state of the customer on the day before, from what was known then."""
    days = [0, 3, 40, 300, 310, 900, 901, 1_500]
    batch = summary({"a": [(day, 0, 1, 100) for day in days]})

    found = is_comeback(batch, CLOCK, SHARES)

    for place in range(1, len(days)):
        known = summary({"a": [(day, 0, 1, 100) for day in days[:place]]})
        state = lapse_states(CLOCK, SHARES, gaps(known), known.last_order_day(), days[place])
        assert bool(found[place]) is bool(state.is_in("lapsed", "lost")[0])
    assert not found[0]


def test_buyers_are_counted_once_an_item_orders_each_time_and_only_those_that_ended_a_lapse():
    batch = summary(
        {
            "a": [*REGULAR, *bought(400, 1, 2), *bought(405, 3), *bought(2_000, 1)],
            "b": [*REGULAR, *bought(400, 2)],
            "c": REGULAR,
        }
    )

    comeback = is_comeback(batch, CLOCK, SHARES)

    buyers, orders = comeback_counts(batch, comeback, 5)
    assert buyers.tolist() == [0, 1, 2, 0, 0]
    assert orders.tolist() == [0, 2, 2, 0, 0]


def test_customers_of_a_batch_do_not_look_at_each_other():
    one, other = summary({"a": [*REGULAR, *bought(900, 1)]}), summary({"b": bought(5, 2)})

    together = is_comeback(concatenate([one, other, one]), CLOCK, SHARES)

    alone = np.concatenate([is_comeback(batch, CLOCK, SHARES) for batch in (one, other, one)])
    np.testing.assert_array_equal(together, alone)
