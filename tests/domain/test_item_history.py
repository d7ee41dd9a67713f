from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from recsvc.domain.history import no_history
from recsvc.domain.item_history import item_histories
from tests.domain.record_strategies import histories, plain, summary

CLOCK = 30


def own_of(batch, half_life_days=10.0):
    return item_histories(batch, np.full(len(batch), CLOCK, np.int32), half_life_days)


@given(histories)
def test_every_pair_is_what_one_counts_by_hand(batch):
    own = own_of(batch)

    position = 0
    for customer, record in enumerate(plain(batch)):
        assert own.offsets[customer] == position
        for item in sorted(set(record["line_item"])):
            rows = [n for n, other in enumerate(record["line_item"]) if other == item]
            days = [record["line_day"][n] for n in rows]
            assert (own.customer[position], own.item[position]) == (customer, item)
            assert own.order_days[position] == len(set(days))
            assert (own.first_day[position], own.last_day[position]) == (min(days), max(days))
            assert own.quantity[position] == sum(record["line_quantity"][n] for n in rows)
            expected = sum(0.5 ** ((CLOCK - day) / 10) for day in days)
            assert own.decayed_order_days[position] == pytest.approx(expected)
            position += 1
    assert own.offsets[-1] == position == len(own.item)


def test_an_order_day_counts_half_after_a_half_life():
    own = own_of(summary({"a": [(20, 0, 1, 100), (30, 0, 9, 100)]}))

    assert own.decayed_order_days.tolist() == [1.5]


def test_who_bought_nothing_has_no_pairs():
    own = own_of(no_history("a"))

    assert own.offsets.tolist() == [0, 0]
    assert len(own.item) == 0
