import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.category_clock import (
    Categories,
    CategoryClocks,
    category_gaps,
    faded_categories,
    top_categories,
)
from recsvc.domain.history import take
from recsvc.domain.lapse import LapseParams, LapseThresholds
from tests.domain.record_strategies import histories, summary

# items 0 and 1 are coffee, 2 is bread, 3 has no category
SHOP = top_categories(["COFFEE > BEANS", "COFFEE > CAPSULES", "BREAD", None])
CLOCK = LapseParams(p=4.0, q=3.0, v=20.0)
CLOCKS = CategoryClocks(dict.fromkeys(SHOP.names, CLOCK))


def bought(item, days):
    return [(day, item, 1, 100) for day in days]


def faded(customers, as_of_day, clocks=CLOCKS, shop=SHOP):
    return faded_categories(summary(customers), shop, clocks, LapseThresholds(), as_of_day)


def named(found):
    return [(int(c), SHOP.names[place]) for c, place in zip(found.customer, found.category, strict=True)]


def test_what_was_bought_regularly_and_is_no_longer_has_faded_though_orders_go_on():
    shopper = bought(0, range(0, 150, 30)) + bought(2, range(0, 300, 10))

    found = faded({"a": shopper}, 300)

    assert named(found) == [(0, "COFFEE")]
    assert (found.n_orders[0], found.silence_days[0]) == (5, 180)
    assert 20 < found.usual_gap_days[0] < 35  # gaps of 30 days, shrunk a little to everybody's 10
    assert found.share_passed[0] > 0.95


def test_two_products_of_a_category_are_one_habit():
    turns = bought(0, range(0, 200, 40)) + bought(1, range(20, 200, 40))

    rhythm = category_gaps(summary({"a": turns}), SHOP)

    assert [SHOP.names[place] for place in rhythm.category] == ["COFFEE"]
    assert (rhythm.gaps.n_gaps[0], rhythm.gaps.sum_days[0], rhythm.last_day[0]) == (9, 180, 180)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_was_bought_a_few_times_was_no_habit(times):
    assert not len(faded({"a": bought(0, range(0, 10 * times, 10))}, 3_000))


def test_a_category_without_a_clock_and_an_item_without_a_category_are_not_told_of():
    shopper = bought(0, range(0, 100, 10)) + bought(2, range(0, 100, 10)) + bought(3, range(0, 100, 10))

    found = faded({"a": shopper}, 1_000, CategoryClocks({"BREAD": CLOCK}))

    assert named(found) == [(0, "BREAD")]
    assert not len(faded({"a": shopper}, 1_000, CategoryClocks()))
    assert not len(faded({"a": shopper}, 1_000, shop=top_categories([None] * 4)))


def test_each_customer_has_the_most_certainly_lapsed_first_and_is_found_by_position():
    both = bought(0, range(0, 200, 10)) + bought(2, range(0, 100, 10))
    customers = {"a": bought(2, range(0, 400, 10)), "b": both, "c": both}

    found = faded(customers, 400)

    assert named(found) == [(1, "BREAD"), (1, "COFFEE"), (2, "BREAD"), (2, "COFFEE")]
    assert [len(found.customer[found.of(position)]) for position in range(3)] == [0, 2, 2]


def test_a_day_before_the_last_purchase_is_no_silence():
    assert not len(faded({"a": bought(0, range(0, 100, 10))}, 50))


@given(histories)
def test_many_customers_at_once_are_judged_as_each_alone(everybody):
    tight = CategoryClocks({name: LapseParams(p=2.0, q=2.0, v=0.5) for name in SHOP.names})
    arguments = (SHOP, tight, LapseThresholds(), 9)

    together = faded_categories(everybody, *arguments)

    for position in range(len(everybody)):
        alone, of_one = faded_categories(take(everybody, np.array([position])), *arguments), together.of(position)
        assert alone.category.tolist() == together.category[of_one].tolist()
        np.testing.assert_array_equal(alone.silence_days, together.silence_days[of_one])
        np.testing.assert_allclose(alone.share_passed, together.share_passed[of_one])
        np.testing.assert_allclose(alone.usual_gap_days, together.usual_gap_days[of_one])


@given(histories)
def test_the_rhythm_is_what_one_counts_by_hand(everybody):
    rhythm = category_gaps(everybody, SHOP)

    pairs = {}
    for customer, day, item in zip(everybody.line_customer(), everybody.line_day, everybody.line_item, strict=True):
        if SHOP.is_placed[item]:
            pairs.setdefault((customer, SHOP.category[item]), set()).add(int(day))
    assert list(zip(rhythm.customer, rhythm.category, strict=True)) == sorted(pairs)
    for place, pair in enumerate(sorted(pairs)):
        gaps = np.diff(sorted(pairs[pair]))
        assert rhythm.gaps.n_gaps[place] == len(gaps)
        assert rhythm.gaps.sum_days[place] == gaps.sum()
        assert rhythm.gaps.sum_log_days[place] == pytest.approx(np.log(gaps).sum())
        assert rhythm.last_day[place] == max(pairs[pair])


@given(st.lists(st.none() | st.sampled_from(["", "A", "A > B", "C > D > E"]), max_size=8))
def test_items_are_placed_in_the_first_level_of_their_path(paths):
    found = top_categories(paths)

    assert isinstance(found, Categories)
    assert list(found.names) == sorted({path[0] for path in paths if path})
    for position, path in enumerate(paths):
        assert found.is_placed[position] == bool(path)
        assert not path or found.names[found.category[position]] == path[0]


def test_clocks_survive_json():
    assert CategoryClocks.from_json(CLOCKS.to_json()) == CLOCKS
