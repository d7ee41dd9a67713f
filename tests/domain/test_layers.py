import numpy as np
import pytest

from recsvc.domain.lapse import STATES
from recsvc.domain.layers import (
    ACTIONS,
    COLUMNS,
    LABELS,
    LAYERS,
    RISKS,
    VALUES,
    LayerRule,
    layer_positions,
    layers,
    may_win_back,
    risk_layers,
    value_layers,
)
from recsvc.errors import DataError

RULE = LayerRule(middle=100.0, win_back_churn=0.1)


def risks(states, churn, slipping=None):
    state = np.array([STATES.index(state) for state in states], np.int8)
    signs = np.zeros(len(states), bool) if slipping is None else np.array(slipping)
    return [RISKS[risk] for risk in risk_layers(state, np.array(churn), signs)]


def test_every_cell_has_a_label_of_its_own_and_one_sentence_to_act_on():
    assert set(LABELS) == set(ACTIONS) == set(LAYERS)
    assert len(LAYERS) == len(VALUES) * len(RISKS) == len(set(LABELS.values())) == len(set(ACTIONS.values()))
    assert all(action.endswith(".") and action.count(".") == 1 for action in ACTIONS.values())


def test_value_is_high_by_the_rule_of_high_value_then_halved_by_the_line():
    high_value = np.array([True, False, False, False])

    value = value_layers(RULE, high_value, np.array([90.0, 100.0, 99.9, 0.0]))

    assert [VALUES[position] for position in value] == ["high", "middle", "low", "low"]


def test_who_never_spent_is_of_low_value_even_under_a_line_of_nothing():
    assert VALUES[value_layers(LayerRule(0.0), np.array([False]), np.array([0.0]))[0]] == "low"


def test_risk_follows_the_clock_the_churn_and_the_signs():
    states = ["new", "active", "due", "active", "late", "lapsed", "lost", "lost"]
    churn = [0.9, 0.02, 0.02, 0.3, 0.05, 0.4, 0.3, 0.6]
    signs = [True, False, False, True, True, False, False, False]

    found = risks(states, churn, signs)

    assert found == ["new", "secure", "secure", "slipping", "slipping", "lapsed", "lapsed", "lost"]


def test_who_lapsed_but_all_but_surely_returns_is_slipping():
    assert risks(["lapsed", "lost"], [0.09, 0.02]) == ["slipping", "slipping"]
    assert risks(["lapsed", "lost"], [0.10, 0.02]) == ["lapsed", "slipping"]


def test_a_line_leaves_those_off_the_win_back_list_who_all_but_surely_return():
    states = np.array([STATES.index(name) for name in ("late", "lapsed", "lost")], np.int8)

    assert may_win_back(RULE, states, np.array([0.9, 0.10, 0.09])).tolist() == [False, True, False]


def test_bundles_without_a_line_put_everybody_lapsed_on_the_list():
    states = np.array([STATES.index(name) for name in ("late", "lapsed", "lost")], np.int8)

    assert may_win_back(LayerRule.from_json(None), states, np.array([0.9, 0.0, 0.01])).tolist() == [False, True, True]


def test_the_cell_of_a_customer_is_named_by_value_and_risk():
    value, risk = np.array([0, 2], np.int8), np.array([2, 4], np.int8)

    assert [LAYERS[cell] for cell in layer_positions(value, risk)] == ["high_slipping", "low_lost"]


def test_the_table_holds_every_cell_and_every_customer_once():
    rng = np.random.default_rng(2)
    columns = {name: rng.random(500) for name in COLUMNS}
    columns["layer"] = np.array(LAYERS, object)[rng.integers(0, 7, 500)]

    rows = layers(columns)

    assert [row.name for row in rows] == list(LAYERS)
    for row in rows:
        members = columns["layer"] == row.name
        assert (row.customers, row.name) == (members.sum(), f"{row.value}_{row.risk}")
        assert row.spend == pytest.approx(columns["spend"][members].sum())
        assert row.value_at_stake == pytest.approx(columns["value_at_stake"][members].sum())
        mean = columns["churn_probability"][members].mean() if members.any() else None
        assert row.churn_probability == (mean if mean is None else pytest.approx(mean))


@pytest.mark.parametrize(("middle", "churn"), [(-1.0, 0.1), (np.nan, 0.1), (1.0, 1.0), (1.0, -0.1), (1.0, np.nan)])
def test_impossible_rules_are_refused(middle, churn):
    with pytest.raises(DataError):
        LayerRule(middle, churn)


def test_the_rule_survives_json():
    assert LayerRule.from_json(RULE.to_json()) == RULE
