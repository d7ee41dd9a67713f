import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.history import Histories, OrderLine, append_order, no_history, take
from recsvc.domain.rfm import gaps, rfm
from recsvc.errors import DataError

AS_OF_DAY = 20_000

orders = st.dictionaries(st.integers(0, AS_OF_DAY - 1), st.integers(0, 10**9), min_size=1, max_size=8)
customers = st.lists(orders, min_size=1, max_size=6)


def histories_of(customers):
    days = [sorted(customer) for customer in customers]
    offsets = np.cumsum([0, *map(len, days)])
    no_lines = np.zeros(0, np.int32)
    return Histories(
        customer_ids=tuple(str(position) for position in range(len(customers))),
        order_offsets=offsets,
        order_day=np.array([day for own in days for day in own], np.int32),
        order_amount=np.array([c[day] for c, own in zip(customers, days, strict=True) for day in own], np.int64),
        line_offsets=np.zeros(len(customers) + 1, np.int64),
        line_day=no_lines,
        line_item=no_lines,
        line_quantity=no_lines.astype(np.float32),
        line_amount=no_lines.astype(np.int64),
    )


@given(customers)
def test_the_summary_is_what_one_counts_by_hand(customers):
    summary = rfm(histories_of(customers), AS_OF_DAY)

    for position, customer in enumerate(customers):
        first, *repeats = sorted(customer)
        assert summary.frequency[position] == len(repeats)
        assert summary.recency[position] == max(customer) - first
        assert summary.T[position] == AS_OF_DAY - first
        mean = sum(customer[day] for day in repeats) / len(repeats) / 100 if repeats else 0.0
        assert summary.monetary_value[position] == pytest.approx(mean)
        assert summary.first_value[position] == customer[first] / 100


@given(customers)
def test_the_gaps_are_what_one_counts_by_hand(customers):
    found = gaps(histories_of(customers))

    for position, customer in enumerate(customers):
        own = np.diff(sorted(customer))
        assert found.n_gaps[position] == len(own)
        assert found.sum_days[position] == own.sum()
        assert found.sum_log_days[position] == pytest.approx(np.log(own).sum())


@given(customers, st.data())
def test_a_customer_is_summarised_alone_as_among_others(customers, data):
    position = data.draw(st.integers(0, len(customers) - 1))
    everyone = histories_of(customers)

    alone = rfm(take(everyone, np.array([position])), AS_OF_DAY)

    among = rfm(everyone, AS_OF_DAY)
    for name in ("frequency", "recency", "T", "monetary_value", "first_value"):
        assert getattr(alone, name)[0] == getattr(among, name)[position]


def test_a_live_order_counts_like_any_other():
    line = OrderLine(item_row=None, quantity=1.0, amount=3000)
    history = append_order(histories_of([{100: 1000, 130: 2000}]), 150, [line])

    summary = rfm(history, 200)

    assert (summary.frequency[0], summary.recency[0], summary.T[0]) == (2, 50, 100)
    assert summary.monetary_value[0] == 25.0


def test_no_customers_have_an_empty_summary():
    nobody = histories_of([])

    assert len(rfm(nobody, AS_OF_DAY)) == len(gaps(nobody)) == 0


def test_customers_without_orders_are_refused():
    with pytest.raises(DataError, match="no order"):
        rfm(no_history("a"), AS_OF_DAY)
    with pytest.raises(DataError, match="no order"):
        gaps(no_history("a"))


def test_orders_past_the_end_of_observation_are_refused():
    with pytest.raises(DataError, match="on or after"):
        rfm(histories_of([{100: 1000}]), 100)
