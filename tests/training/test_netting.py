"""Netting against a plain stack: each return pops units off the purchases before it, latest first."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from training.netting import net_returns, pairs_with_returns

START = datetime(2020, 1, 1)  # noqa: DTZ001 - the engine holds naive UTC
Line = tuple[int, int, int, bool, int]  # customer, item, minute, is_return, thousandths

lines_strategy = st.lists(
    st.tuples(
        st.integers(0, 1), st.integers(0, 1), st.integers(0, 4), st.booleans(), st.integers(1, 5).map(lambda n: n * 500)
    ),
    min_size=1,
    max_size=24,
)


@pytest.fixture(scope="module")
def backend() -> ibis.BaseBackend:
    return ibis.duckdb.connect(threads=1)


def simulated(lines: list[Line]) -> list[int]:
    """Thousandths left of each line, by walking forwards with a stack per customer and item."""
    left = [quantity for *_, quantity in lines]
    stacks: dict[tuple[int, int], list[int]] = {}
    for position in sorted(range(len(lines)), key=lambda p: (lines[p][2], lines[p][3], p)):
        customer, item, _, is_return, _ = lines[position]
        stack = stacks.setdefault((customer, item), [])
        if not is_return:
            stack.append(position)
            continue
        while stack and left[position]:
            taken = min(left[position], left[stack[-1]])
            left[position] -= taken
            left[stack[-1]] -= taken
            if not left[stack[-1]]:
                stack.pop()
    return left


def netted(backend: ibis.BaseBackend, lines: list[Line]) -> list[int]:
    columns = {
        "source_row": pa.array(range(len(lines)), pa.int64()),
        "customer_key": pa.array([line[0] for line in lines], pa.int32()),
        "item_key": pa.array([line[1] for line in lines], pa.int32()),
        "ordered_at": pa.array([START + timedelta(minutes=line[2]) for line in lines], pa.timestamp("us")),
        "is_return": pa.array([line[3] for line in lines]),
        "quantity": pa.array([Decimal(line[4]) / 1000 for line in lines], pa.decimal128(18, 3)),
    }
    table = ibis.memtable(pa.table(columns))
    found = backend.to_pyarrow(net_returns(table).order_by("source_row"))
    return [int(value * 1000) for value in found["left"].to_pylist()]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=lines_strategy)
def test_the_closed_form_equals_the_stack(backend: ibis.BaseBackend, lines: list[Line]) -> None:
    assert netted(backend, lines) == simulated(lines)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=lines_strategy)
def test_what_returns_find_is_what_purchases_lose(backend: ibis.BaseBackend, lines: list[Line]) -> None:
    left = netted(backend, lines)

    found = sum(line[4] - rest for line, rest in zip(lines, left, strict=True) if line[3])
    lost = sum(line[4] - rest for line, rest in zip(lines, left, strict=True) if not line[3])
    assert found == lost
    assert all(0 <= rest <= line[4] for line, rest in zip(lines, left, strict=True))


def test_a_return_takes_from_the_latest_purchase_before_it(backend: ibis.BaseBackend) -> None:
    lines = [(0, 0, 0, False, 3000), (0, 0, 1, False, 2000), (0, 0, 2, True, 4000), (0, 0, 3, False, 9000)]

    assert netted(backend, lines) == [1000, 0, 0, 9000]


def test_only_pairs_with_a_return_are_looked_at(backend: ibis.BaseBackend) -> None:
    table = ibis.memtable(
        pa.table({"customer_key": [1, 1, 2], "item_key": [1, 2, 1], "is_return": [True, False, False]})
    )

    found = backend.to_pyarrow(pairs_with_returns(table)).to_pylist()

    assert found == [{"customer_key": 1, "item_key": 1}]
