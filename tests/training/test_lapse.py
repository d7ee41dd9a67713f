import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.domain.category_clock import top_categories
from recsvc.domain.lapse import LapseParams, LapseThresholds, lapse_states, next_gap_quantiles, share_of_gaps_passed
from recsvc.domain.rfm import Gaps
from tests.domain.record_strategies import summary
from training.lapse import DEFAULT_GAP_DAYS, fit_category_clocks, fit_lapse


def simulate(p, q, v, n, seed=3):
    """Gaps of customers with 0 to 8 of them, each customer with their own rate."""
    rng = np.random.default_rng(seed)
    n_gaps = rng.integers(0, 9, n)
    customer = np.repeat(np.arange(n), n_gaps)
    days = rng.gamma(p, 1.0, len(customer)) / np.repeat(rng.gamma(q, 1 / v, n), n_gaps)
    return gaps_of(customer, days, n)


def gaps_of(customer, days, n):
    return Gaps(*(np.bincount(customer, weight, n) for weight in (np.ones(len(days)), days, np.log(days))))


def test_the_clock_recovers_the_parameters_gaps_were_made_with():
    fitted = fit_lapse(simulate(p=1.8, q=2.5, v=55.0, n=40_000))

    assert fitted.params.to_json() == pytest.approx({"p": 1.8, "q": 2.5, "v": 55.0}, rel=0.03)
    assert not fitted.diagnostics.fallback


def test_the_fitted_clock_is_calibrated_on_the_gaps_that_follow():
    """Of gaps that were not fitted on, half end before `due`, and so on: the shares mean what they say."""
    rng = np.random.default_rng(8)
    n, n_gaps = 20_000, 4
    days = rng.gamma(1.8, 1.0, (n, n_gaps + 1)) / rng.gamma(2.5, 1 / 55.0, n)[:, None]
    before = gaps_of(np.repeat(np.arange(n), n_gaps), days[:, :n_gaps].ravel(), n)

    reading = share_of_gaps_passed(fit_lapse(before).params, before, days[:, n_gaps])

    for share in (0.5, 0.8, 0.95, 0.99):
        assert np.mean(reading < share) == pytest.approx(share, abs=0.01)


def test_the_unit_of_time_changes_nothing_but_the_scale():
    days = simulate(p=1.8, q=2.5, v=55.0, n=3_000)
    weeks = Gaps(days.n_gaps, days.sum_days / 7, days.sum_log_days - days.n_gaps * np.log(7))

    by_days, by_weeks = fit_lapse(days), fit_lapse(weeks)

    expected = {**by_days.params.to_json(), "v": by_days.params.v / 7}
    assert by_weeks.params.to_json() == pytest.approx(expected, rel=1e-4)
    density = by_days.diagnostics.log_likelihood + days.n_gaps.sum() * np.log(7)
    assert by_weeks.diagnostics.log_likelihood == pytest.approx(density)


def test_customers_without_a_gap_change_nothing():
    days = simulate(p=1.8, q=2.5, v=55.0, n=3_000)
    repeaters = days.n_gaps > 0
    alone = Gaps(days.n_gaps[repeaters], days.sum_days[repeaters], days.sum_log_days[repeaters])

    assert fit_lapse(days) == fit_lapse(alone)


def test_too_little_data_gets_random_buyers_at_its_own_mean_gap_flagged():
    few = Gaps(np.array([2.0, 1.0]), np.array([50.0, 10.0]), np.array([6.0, 2.3]))

    fitted = fit_lapse(few)

    assert fitted.params == LapseParams(p=1.0, q=2.0, v=20.0)
    assert "only 2 customers" in fitted.diagnostics.fallback


def test_without_any_gap_the_default_stands_in_flagged():
    nobody = Gaps(np.zeros(3), np.zeros(3), np.zeros(3))

    fitted = fit_lapse(nobody)

    assert fitted.params.v == DEFAULT_GAP_DAYS
    assert fitted.diagnostics.fallback


def test_everybody_alike_gets_a_clock_as_sharp_as_can_be_told():
    n = 200
    weekly = Gaps(np.full(n, 5.0), np.full(n, 35.0), np.full(n, 5 * np.log(7.0)))

    fitted = fit_lapse(weekly)

    last = np.zeros(n, np.int32)
    names = [lapse_states(fitted.params, LapseThresholds(), weekly, last, day).name(0) for day in (5, 12)]
    assert names == ["active", "lost"]
    assert "p" in fitted.diagnostics.at_bound


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(1, 2000), max_size=6), min_size=1, max_size=60))
def test_any_gaps_get_a_clock(rows):
    customer = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    days = np.array([day for row in rows for day in row], np.float64)
    found = gaps_of(customer, days, len(rows))

    fitted = fit_lapse(found)

    assert fitted.diagnostics.fallback or np.isfinite(fitted.diagnostics.log_likelihood)
    lapse_states(fitted.params, LapseThresholds(), found, np.zeros(len(rows), np.int32), 100)


def buyers(item, n, first, mean_days, seed):
    """Lines by customer id: somebody buys an item for two years, at a gamma rhythm around their own mean gap."""
    rng = np.random.default_rng(seed)
    customers = {}
    for number, own in enumerate(mean_days * rng.gamma(6.0, 1.0 / 6.0, n)):
        days = np.cumsum(np.maximum(np.rint(rng.gamma(2.0, own / 2.0, 200)), 1.0)).astype(int)
        customers[f"{first}{number:04}"] = [(int(day), item, 1, 100) for day in days[days < 730]] or [(0, item, 1, 100)]
    return customers


def test_each_category_has_the_rhythm_it_is_bought_at():
    weekly, quarterly = buyers(0, 300, "a", 7.0, seed=1), buyers(1, 300, "b", 90.0, seed=2)

    clocks = fit_category_clocks(summary(weekly | quarterly), top_categories(["MILK", "SOAP"])).by_name

    nobody = Gaps(*np.zeros((3, 1)))
    usual = {name: next_gap_quantiles(clock, nobody, (0.5,))[0, 0] for name, clock in clocks.items()}
    assert 3 < usual["MILK"] < 12
    assert 40 < usual["SOAP"] < 150


def test_a_category_bought_again_by_too_few_has_no_clock():
    few, many = buyers(0, 99, "a", 7.0, seed=1), buyers(1, 150, "b", 30.0, seed=2)
    rare = {f"c{number}": [(0, 2, 1, 100), (90, 2, 1, 100)] for number in range(150)}  # 150 gaps in all

    clocks = fit_category_clocks(summary(few | many | rare), top_categories(["MILK", "SOAP", "SALT"]))

    assert list(clocks.by_name) == ["SOAP"]


def test_without_categories_there_are_no_clocks():
    assert not fit_category_clocks(summary(buyers(0, 150, "a", 7.0, seed=1)), top_categories([None])).by_name
