import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.segments import HighValueRule
from recsvc.domain.standing import MIN_CUSTOMERS, Standing
from recsvc.errors import DataError
from training.standing import fit_layer_rule, fit_standing

amounts = st.lists(st.integers(0, 50), min_size=MIN_CUSTOMERS, max_size=400)


@given(amounts, st.integers(-1, 51))
def test_what_is_said_of_everybody_is_true_and_close(values, value):
    everybody = np.array(values, np.float64)
    standing = fit_standing({"spend": everybody})

    below = standing.percent_below("spend", np.array([float(value)]))[0]
    above = standing.percent_above("spend", np.array([float(value)]))[0]

    truly_below, truly_above = 100 * np.mean(everybody < value), 100 * np.mean(everybody > value)
    assert truly_below - 2 <= below <= truly_below + 1e-9
    assert truly_above - 2 <= above <= truly_above + 1 + 1e-9


def test_too_few_customers_are_no_crowd_to_stand_in():
    standing = fit_standing({"spend": np.arange(MIN_CUSTOMERS - 1.0)})

    assert standing.percent_below("spend", np.array([3.0])) is None
    assert standing.share_at("spend", 50) is None


def test_bundles_from_before_there_was_a_standing_know_of_none():
    assert Standing.from_json(None) == Standing({})


def test_a_standing_survives_json():
    standing = fit_standing({"spend": np.arange(1000.0)})

    again = Standing.from_json(standing.to_json())

    np.testing.assert_array_equal(again.quantiles["spend"], standing.quantiles["spend"])


@pytest.mark.parametrize("values", [[1.0] * 100, [*range(100), np.nan], [*range(100, -1, -1)], "text", [["x"] * 101]])
def test_what_is_no_table_of_quantiles_is_refused(values):
    with pytest.raises(DataError):
        Standing.from_json({"spend": values})


def test_the_middle_line_halves_those_below_high_value():
    spend = np.arange(100.0)

    rule = fit_layer_rule(spend, HighValueRule(0.4, 60.0), 0.1)

    assert (rule.middle, rule.win_back_churn) == (30.0, 0.1)


def test_where_everybody_is_of_high_value_there_is_a_line_all_the_same():
    assert fit_layer_rule(np.full(5, 80.0), HighValueRule(0.4, 80.0), 0.0).middle == 80.0
