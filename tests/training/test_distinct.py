import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.distinct import distinct, every

units = st.sampled_from([1.0, 0.1, 1e9])  # packed into short keys, not whole, packed into long ones or not at all


def columns(rows, unit):
    first, *rest = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    return first, *(column * unit for column in rest)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40), units)
def test_distinct_observations_weigh_as_often_as_they_occur(rows, unit):
    found = distinct(*columns(rows, unit))

    seen = zip(found.counts[found.level], *found.columns, found.weight * len(rows), strict=True)
    expected = [tuple(row) for row in zip(*columns(rows, unit), strict=True)]
    assert {(x, t, age): pytest.approx(times) for x, t, age, times in seen} == {
        row: expected.count(row) for row in expected
    }
    assert len(found) == len(set(rows))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40), units)
def test_whole_numbers_or_not_they_come_in_the_same_order(rows, unit):
    found = distinct(*columns(rows, unit))

    in_order = sorted(set(zip(*columns(rows, unit), strict=True)))
    assert list(zip(found.counts[found.level], *found.columns, strict=True)) == in_order


def test_a_sample_is_part_of_the_whole_and_weighs_one():
    rng = np.random.default_rng(1)
    data = distinct(rng.poisson(2.0, 300).astype(np.float64), rng.uniform(1, 3, 300))

    sample = every(data, 7)

    assert len(sample) == -(-len(data) // 7)
    assert sample.weight.sum() == pytest.approx(1.0)
    np.testing.assert_array_equal(sample.columns[0], data.columns[0][::7])
