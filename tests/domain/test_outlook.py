import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import betaprime

from recsvc.domain.lapse import LapseParams
from recsvc.domain.outlook import INTERVAL, LIMIT_DAYS, next_order, remaining_gap_quantiles, return_by_rhythm
from recsvc.domain.rfm import Gaps

CLOCK = LapseParams(p=1.8, q=2.5, v=55.0)
LAST = 18_000

shapes = st.floats(-6.9, 6.9).map(np.exp)
clocks = st.builds(LapseParams, p=shapes, q=shapes, v=st.floats(-5, 12).map(np.exp))


def one(n_gaps, sum_days):
    return Gaps(np.array([float(n_gaps)]), np.array([float(sum_days)]), np.zeros(1))


def days(*values):
    return np.array(values, np.float64)


def expected(clock, gaps, silence, is_lost=False):
    return next_order(clock, gaps, np.array([LAST], np.int32), LAST + silence, np.array([is_lost]))


@pytest.mark.parametrize(("n_gaps", "sum_days"), [(0, 0), (1, 30), (5, 50), (40, 4000)])
@pytest.mark.parametrize("silence", [1.0, 9.0, 60.0, 300.0])
def test_a_quantile_holds_its_share_of_the_density_beyond_the_silence(n_gaps, sum_days, silence):
    posterior = betaprime(CLOCK.p, CLOCK.q + CLOCK.p * n_gaps, scale=CLOCK.v + sum_days)

    found = remaining_gap_quantiles(CLOCK, one(n_gaps, sum_days), days(silence), INTERVAL)[0]

    whole, _ = quad(posterior.pdf, silence, np.inf, epsabs=0.0, limit=200)
    for gap, share in zip(found, INTERVAL, strict=True):
        part, _ = quad(posterior.pdf, silence, gap, epsabs=0.0, limit=200)
        assert part / whole == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("silence", [0.0, 20.0, 200.0])
def test_return_by_rhythm_is_the_mass_within_the_horizon_over_the_mass_that_is_left(silence):
    posterior = betaprime(CLOCK.p, CLOCK.q + CLOCK.p * 6, scale=CLOCK.v + 180)

    found = return_by_rhythm(CLOCK, one(6, 180), days(silence), 60)[0]

    inside, _ = quad(posterior.pdf, silence, silence + 60)
    left, _ = quad(posterior.pdf, silence, np.inf, limit=200)
    assert found == pytest.approx(inside / left, abs=1e-6)


def test_the_longer_the_silence_the_later_the_next_order():
    medians = [expected(CLOCK, one(10, 200), silence).day[0, 1] for silence in (1, 20, 60, 120)]

    assert np.all(np.diff(medians) > 0)
    assert medians[0] - LAST == pytest.approx(20, abs=8)


@given(clocks, st.integers(0, 1500), st.integers(0, 15_000), st.integers(0, 40_000))
def test_dates_rise_and_none_lies_before_the_end_of_observation(clock, n_gaps, extra, silence):
    found = expected(clock, one(n_gaps, n_gaps + extra if n_gaps else 0), silence)

    assert np.all(np.diff(found.day[0]) >= 0)
    assert found.day[0, 0] >= LAST + silence
    assert np.all(found.is_known[0] == (found.day[0] <= LAST + silence + LIMIT_DAYS))


@given(clocks, st.integers(0, 1500), st.integers(0, 15_000), st.integers(0, 40_000))
def test_return_by_rhythm_is_a_probability(clock, n_gaps, extra, silence):
    assert 0 <= return_by_rhythm(clock, one(n_gaps, n_gaps + extra), days(silence), 90)[0] <= 1


def test_who_is_lost_is_given_no_date_and_nobody_one_beyond_the_limit():
    assert not expected(CLOCK, one(5, 100), 30, is_lost=True).is_known.any()
    slow = expected(CLOCK, one(2, 1200), 900)
    assert slow.is_known[0, 0]
    assert not slow.is_known[0, 2]


def test_many_customers_are_expected_as_each_alone():
    many = Gaps(days(0, 3, 3, 12), days(0, 30, 300, 99), np.zeros(4))
    last = np.array([LAST, LAST - 90, LAST - 200, LAST - 30], np.int32)

    together = next_order(CLOCK, many, last, LAST + 1, np.zeros(4, bool))

    for row in range(4):
        alone = next_order(CLOCK, one(many.n_gaps[row], many.sum_days[row]), last[[row]], LAST + 1, np.zeros(1, bool))
        assert alone.day[0].tolist() == together.day[row].tolist()
