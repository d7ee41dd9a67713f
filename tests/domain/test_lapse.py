import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betaprime

from recsvc.domain.lapse import (
    LONGEST_GAP_DAYS,
    STATES,
    LapseParams,
    LapseThresholds,
    lapse_states,
    lapsed_after_days,
    next_gap_quantiles,
    share_of_gaps_passed,
)
from recsvc.domain.rfm import Gaps
from recsvc.errors import ConfigError, DataError

CLOCK = LapseParams(p=1.8, q=2.5, v=55.0)
DEFAULT = LapseThresholds()
LAST = 18_000

shapes = st.floats(-6.9, 6.9).map(np.exp)
clocks = st.builds(LapseParams, p=shapes, q=shapes, v=st.floats(-5, 12).map(np.exp))
silences = st.integers(0, 40_000)


@st.composite
def rhythms(draw):
    n_gaps = draw(st.integers(0, 1500))
    return one(n_gaps, draw(st.integers(n_gaps, 15_000)) if n_gaps else 0)


def one(n_gaps, sum_days):
    """Gaps of one customer; the sum of logarithms is not looked at once the clock is fitted."""
    return Gaps(np.array([float(n_gaps)]), np.array([float(sum_days)]), np.zeros(1))


def state_after(clock, gaps, silence):
    return lapse_states(clock, DEFAULT, gaps, np.array([LAST], np.int32), LAST + silence)


@pytest.mark.parametrize(("n_gaps", "sum_days"), [(1, 30), (5, 50), (40, 4000)])
@pytest.mark.parametrize("silence", [0, 3, 9, 31, 120, 400, 3000])
def test_the_state_is_where_the_silence_lies_in_the_distribution_of_the_next_gap(n_gaps, sum_days, silence):
    states = state_after(CLOCK, one(n_gaps, sum_days), silence)

    posterior = betaprime(CLOCK.p, CLOCK.q + CLOCK.p * n_gaps, scale=CLOCK.v + sum_days)
    passed = sum(posterior.cdf(silence) > share for share in (0.5, 0.8, 0.95, 0.99))
    assert states.name(0) == ("active", "due", "late", "lapsed", "lost")[passed]


def test_the_clock_is_personal():
    weekly, quarterly = one(10, 70), one(10, 900)

    assert state_after(CLOCK, weekly, 60).name(0) in ("lapsed", "lost")
    assert state_after(CLOCK, quarterly, 60).name(0) == "active"


def test_few_orders_shrink_to_everyone():
    everyone, once, often = one(0, 0), one(1, 7), one(30, 210)

    median = [next_gap_quantiles(CLOCK, gaps, (0.5,))[0, 0] for gaps in (everyone, once, often)]

    assert median[0] > median[1] > median[2]
    assert median[2] == pytest.approx(7, rel=0.25)


def test_one_order_is_new_until_everyone_would_have_lapsed():
    lapsed = int(lapsed_after_days(CLOCK, DEFAULT, one(0, 0))[0]) + 1

    seen = [state_after(CLOCK, one(0, 0), silence).name(0) for silence in range(3000)]

    assert list(dict.fromkeys(seen)) == ["new", "lapsed", "lost"]
    assert seen.index("lapsed") == lapsed
    assert int(state_after(CLOCK, one(0, 0), 1).next_day[0]) == LAST + lapsed
    assert int(state_after(CLOCK, one(0, 0), 1).since_day[0]) == LAST


@given(clocks, rhythms(), silences)
def test_each_state_began_before_and_ends_after_the_day(clock, gaps, silence):
    states = state_after(clock, gaps, silence)

    assert LAST <= states.since_day[0] <= LAST + silence
    assert states.has_next[0] == (states.name(0) != "lost")
    assert not states.has_next[0] or states.next_day[0] > LAST + silence
    assert (states.name(0) == "new") <= (gaps.n_gaps[0] == 0)


@given(clocks, rhythms(), silences)
def test_the_dates_are_the_ones_on_which_the_state_changes(clock, gaps, silence):
    states = state_after(clock, gaps, silence)

    began = state_after(clock, gaps, int(states.since_day[0]) - LAST)
    assert began.name(0) == states.name(0)
    if states.has_next[0]:
        following = state_after(clock, gaps, int(states.next_day[0]) - LAST)
        assert following.state[0] > states.state[0]


@given(clocks, rhythms(), silences, silences)
def test_silence_never_takes_a_customer_back(clock, gaps, first, second):
    sooner, later = sorted((first, second))

    assert state_after(clock, gaps, sooner).state[0] <= state_after(clock, gaps, later).state[0]


@given(clocks, rhythms(), silences)
def test_the_reading_of_the_clock_is_a_probability(clock, gaps, silence):
    assert 0 <= share_of_gaps_passed(clock, gaps, np.array([float(silence)]))[0] <= 1


@given(clocks, rhythms())
def test_quantiles_rise_and_stay_within_a_century(clock, gaps):
    days = next_gap_quantiles(clock, gaps, (0.5, 0.8, 0.95, 0.99))[0]

    assert np.all(np.diff(days) >= 0)
    assert days[0] > 0
    assert days[-1] <= LONGEST_GAP_DAYS * (1 + 1e-9)


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95, 0.99])
def test_reading_the_clock_at_a_quantile_gives_the_share_back(share):
    days = next_gap_quantiles(CLOCK, one(3, 100), (share,))[:, 0]

    assert share_of_gaps_passed(CLOCK, one(3, 100), days)[0] == pytest.approx(share)


def test_many_customers_are_judged_as_each_alone():
    many = Gaps(np.array([0.0, 3.0, 3.0, 12.0]), np.array([0.0, 30.0, 300.0, 99.0]), np.zeros(4))
    last = np.array([LAST, LAST - 90, LAST - 200, LAST - 30], np.int32)

    together = lapse_states(CLOCK, DEFAULT, many, last, LAST)

    for row in range(4):
        alone = lapse_states(CLOCK, DEFAULT, one(many.n_gaps[row], many.sum_days[row]), last[row : row + 1], LAST)
        assert (alone.state[0], alone.since_day[0], alone.next_day[0]) == (
            together.state[row],
            together.since_day[row],
            together.next_day[row],
        )


def test_a_day_before_the_order_counts_as_its_day():
    states = lapse_states(CLOCK, DEFAULT, one(2, 60), np.array([LAST], np.int32), LAST - 5)

    assert states.name(0) == "active"
    assert states.since_day[0] == LAST


def test_states_are_found_by_name():
    states = lapse_states(
        CLOCK, DEFAULT, Gaps(np.array([5.0, 5.0]), np.array([50.0, 50.0]), np.zeros(2)), np.array([0, LAST]), LAST
    )

    assert states.is_in("lapsed", "lost").tolist() == [True, False]
    assert [STATES[state] for state in states.state] == ["lost", "active"]


@pytest.mark.parametrize("shares", [(0.8, 0.5, 0.95, 0.99), (0.5, 0.8, 0.95, 1.0), (0.0, 0.8, 0.95, 0.99)])
def test_thresholds_out_of_order_or_range_are_refused(shares):
    with pytest.raises(ConfigError, match="lapse"):
        LapseThresholds(*shares)


def test_columns_of_different_length_are_refused():
    with pytest.raises(DataError):
        lapse_states(CLOCK, DEFAULT, one(1, 10), np.array([1, 2], np.int32), LAST)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_impossible_parameters_are_refused(value):
    with pytest.raises(DataError):
        LapseParams(p=1.0, q=value, v=1.0)


def test_parameters_survive_json():
    assert LapseParams.from_json(CLOCK.to_json()) == CLOCK
    assert LapseThresholds.from_json(DEFAULT.to_json()) == DEFAULT
