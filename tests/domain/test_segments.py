import numpy as np
import pytest

from recsvc.domain.lapse import STATES
from recsvc.domain.rfm import Rfm
from recsvc.domain.segments import SEGMENTS, HighValueRule, is_high_value, segments, spend_per_active_year
from recsvc.domain.value_models import GammaGammaParams, MbgNbdParams, ValueModels
from recsvc.errors import DataError

MODELS = ValueModels(MbgNbdParams(r=0.6, alpha=60.0, a=0.5, b=1.0), GammaGammaParams(p=5.0, q=4.0, v=20.0, median=28.0))


def customers(frequency, recency, age, value):
    return Rfm(*(np.array(column, np.float64) for column in (frequency, recency, age, value, value)))


def test_value_does_not_fade_once_the_clock_says_lapsed():
    summary = customers([5, 5, 5], [100, 100, 100], [150, 400, 4000], [30, 30, 30])

    spend = spend_per_active_year(MODELS, summary, np.full(3, 80.0))

    assert spend[0] > spend[1] == spend[2]


def test_without_a_clock_all_silence_counts():
    summary = customers([5, 5], [100, 100], [150, 400], [30, 30])

    spend = spend_per_active_year(MODELS, summary)

    # (r + x) / (alpha + T) orders a day x 365 x (p v + p x m) / (p x + q - 1)
    expected = (5.6 / 210 * 365) * (100 + 25 * 30) / 28
    assert spend[0] == pytest.approx(expected)
    assert spend[0] > spend[1]


def test_a_one_time_buyer_of_long_ago_does_not_outrank_a_regular():
    summary = customers([0, 4], [0, 300], [700, 700], [0, 28])

    once, regular = spend_per_active_year(MODELS, summary, np.array([200.0, 200.0]))

    assert once < regular / 2


def test_the_rule_is_inclusive_and_needs_spend():
    rule = HighValueRule(share=0.4, threshold=0.0)

    assert is_high_value(rule, np.array([0.0, 0.1])).tolist() == [False, True]
    assert is_high_value(HighValueRule(0.4, 50.0), np.array([49.9, 50.0])).tolist() == [False, True]


def test_every_pair_of_value_and_state_has_its_own_segment():
    states = np.tile(np.arange(len(STATES), dtype=np.int8), 2)
    high_value = np.repeat([True, False], len(STATES))

    names = [SEGMENTS[segment] for segment in segments(high_value, states)]

    assert len(set(names)) == len(SEGMENTS) == 12
    assert names[STATES.index("lapsed")] == "high_value_lapsed"
    assert names[-1] == "standard_lost"


@pytest.mark.parametrize(("share", "threshold"), [(0.0, 1.0), (1.0, 1.0), (0.4, -1.0), (0.4, np.nan)])
def test_impossible_rules_are_refused(share, threshold):
    with pytest.raises(DataError):
        HighValueRule(share, threshold)


def test_the_rule_survives_json():
    rule = HighValueRule(0.4, 123.4)

    assert HighValueRule.from_json(rule.to_json()) == rule
