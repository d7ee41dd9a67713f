from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.history import OrderLine, append_order, concatenate, no_history, take
from recsvc.errors import DataError
from tests.domain.record_strategies import histories, plain, purchases, summary, touchpoints_of

order = st.tuples(
    st.integers(0, 5),
    st.lists(
        st.tuples(st.none() | st.integers(0, 3), st.integers(1, 5), st.integers(0, 10_000)), min_size=1, max_size=6
    ).filter(lambda lines: any(item is not None for item, _, _ in lines)),
)


def as_lines(lines):
    return [OrderLine(item, float(quantity), amount) for item, quantity, amount in lines]


def day_rows(day, lines):
    return [(day, item, quantity, amount) for item, quantity, amount in lines]


def without_services_only(rows):
    """Lines of days on which a product was bought: what the record can know of the rest is nothing."""
    days = {day for day, item, _, _ in rows if item is not None}
    return [row for row in rows if row[0] in days]


@given(purchases, st.lists(order, min_size=1, max_size=3))
def test_orders_appended_are_the_orders_summarised_with_the_rest(bought, orders):
    bought = without_services_only(bought)
    later = [row for day, lines in orders for row in day_rows(day, lines)]

    appended = summary({"a": bought})
    for day, lines in orders:
        appended = append_order(appended, day, as_lines(lines))

    assert plain(appended) == plain(summary({"a": bought + later}))


@given(order)
def test_the_first_order_of_a_stranger_is_their_record(first):
    day, lines = first

    appended = append_order(no_history("a"), day, as_lines(lines))

    assert plain(appended) == plain(summary({"a": day_rows(day, lines)}))


@given(histories, order)
def test_an_order_appended_leaves_what_else_is_known_alone(batch, later):
    history = take(batch, np.array([0]))

    appended = append_order(history, later[0], as_lines(later[1]))

    touched = ("touch_day", "touch_kind", "touch_value")
    assert [plain(appended)[0][name] for name in touched] == [plain(history)[0][name] for name in touched]


def test_touchpoints_of_another_number_of_customers_are_refused():
    with pytest.raises(DataError, match="another number of customers"):
        replace(summary({"a": [(1, 0, 1, 100)]}), touchpoints=touchpoints_of([{(1, "view"): 1}, {}]))


@given(purchases, order)
def test_appending_leaves_the_record_it_was_given_alone(bought, later):
    history = summary({"a": bought})
    before = plain(history)

    append_order(history, later[0], as_lines(later[1]))

    assert plain(history) == before


def test_the_record_counts_services_as_money_of_an_order_and_never_as_an_order():
    history = summary({"a": [(1, 0, 2, 500), (1, None, 1, 300), (2, None, 1, 999)]})

    assert plain(history) == [
        {
            "customer_id": "a",
            "order_day": [1],
            "order_amount": [800],
            "line_day": [1],
            "line_item": [0],
            "line_quantity": [2.0],
            "line_amount": [500],
            "touch_day": [],
            "touch_kind": [],
            "touch_value": [],
        }
    ]


@given(histories, st.data())
def test_taking_customers_gives_their_records_in_the_order_asked_for(batch, data):
    positions = data.draw(st.lists(st.integers(0, len(batch) - 1), max_size=6))

    taken = take(batch, np.array(positions, np.int64))

    records = plain(batch)
    assert plain(taken) == [records[position] for position in positions]


@given(histories)
def test_a_batch_taken_apart_and_put_together_is_the_batch(batch):
    parts = [take(batch, np.array([position])) for position in range(len(batch))]

    again = concatenate([no_history("nobody"), *parts])

    assert plain(again)[1:] == plain(batch)
    assert plain(again)[0]["order_day"] == []
    assert again.order_day.dtype == batch.order_day.dtype
    assert again.line_quantity.dtype == batch.line_quantity.dtype


@given(histories)
def test_every_line_and_order_belongs_to_its_customer(batch):
    assert batch.line_customer().tolist() == [
        position for position, record in enumerate(plain(batch)) for _ in record["line_day"]
    ]
    assert batch.order_customer().tolist() == [
        position for position, record in enumerate(plain(batch)) for _ in record["order_day"]
    ]
    assert batch.last_order_day().tolist() == [record["order_day"][-1] for record in plain(batch)]
