from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.customer_features import FEATURE_NAMES, customer_features
from recsvc.domain.history import take
from recsvc.domain.touch_facts import TouchFacts, touch_facts
from recsvc.domain.touchpoints import KINDS, SCORES, no_touchpoints
from tests.domain.record_strategies import histories, touchpoints_of
from tests.domain.test_customer_features import facts_of
from tests.domain.test_rfm import histories_of

AS_OF_DAY = 1000


def facts_about(*customers: dict[tuple[int, str], float]) -> TouchFacts:
    return touch_facts(touchpoints_of(customers), AS_OF_DAY)


@given(histories, st.data())
def test_facts_are_finite_and_those_of_a_customer_alone(batch, data):
    position = data.draw(st.integers(0, len(batch) - 1))

    everyone = touch_facts(batch.touchpoints, 10)

    alone = touch_facts(take(batch, np.array([position])).touchpoints, 10)
    for one in fields(TouchFacts):
        found = getattr(everyone, one.name)
        assert np.isfinite(found).all()
        assert found[position] == getattr(alone, one.name)[0]


def test_whoever_has_no_touchpoint_is_in_the_middle_whether_others_have_some_or_not():
    nobody = touch_facts(no_touchpoints(2), AS_OF_DAY)
    others = facts_about({}, {(990, kind): 1.0 for kind in KINDS})

    for one in fields(TouchFacts):
        assert getattr(nobody, one.name).tolist() == [0.0, 0.0]
        assert getattr(others, one.name)[0] == 0.0
        assert getattr(others, one.name)[1] != 0.0


def test_without_touchpoints_every_feature_of_them_is_constant():
    features = customer_features(facts_of(histories_of([{0: 100}, {3: 200, 9: 500}]), 20))

    about_touchpoints = FEATURE_NAMES[FEATURE_NAMES.index("returned") : FEATURE_NAMES.index("season_sin")]
    assert len(about_touchpoints) == len(fields(TouchFacts))
    assert not features[:, [FEATURE_NAMES.index(name) for name in about_touchpoints]].any()


def test_money_is_added_up_over_everything_and_counts_over_ninety_days():
    facts = facts_about(
        {(100, "return"): 5.0, (990, "return"): 2.5, (909, "view"): 7, (910, "view"): 2, (999, "cart"): 1}
    )

    assert facts.returned[0] == 7.5
    assert facts.browsed[0] == 3.0  # day 910 is 90 days ago, 909 is 91
    assert facts.carted[0] == 1.0
    assert facts.visited[0] == 0.0


def test_presence_halves_in_a_month_and_counts_the_latest_alone():
    facts = facts_about({(10, "visit"): 9, (970, "login"): 1}, {(940, "view"): 1})

    assert facts.presence == pytest.approx([0.5, 0.25])


def test_the_trend_compares_a_month_with_a_usual_one_before():
    facts = facts_about({(980, "visit"): 4, (950, "visit"): 2, (920, "visit"): 2}, {(950, "visit"): 6})

    assert facts.presence_trend == pytest.approx([np.log(4.5 / 2.5), np.log(0.5 / 3.5)])


def test_the_last_answer_counts_and_the_middle_is_neutral():
    facts = facts_about({(10, "nps"): 10.0, (900, "nps"): 0.0}, {(900, "nps"): 10.0, (10, "csat"): 0.5}, {})

    assert facts.nps.tolist() == [-3.0, 1.0, 0.0]
    assert facts.csat.tolist() == [0.0, 0.0, 0.0]


def test_few_contacts_say_little_of_how_often_somebody_opens():
    once = {(900, "contact"): 1, (901, "open"): 1}
    often = {(day, kind): 1 for day in range(900, 940) for kind in ("contact", "open")}
    never = {(day, "contact"): 1 for day in range(900, 940)}

    opened = facts_about({}, once, often, never).opened

    assert opened[0] == 0.0
    assert 0.0 < opened[1] < opened[2] < 0.75
    assert -0.25 < opened[3] < 0.0


def test_complaints_of_a_year_are_counted_and_fade():
    facts = facts_about({(910, "complaint"): 2, (600, "complaint"): 5})

    assert facts.complaints[0] == 2.0
    assert facts.complained[0] == 0.5


def test_sentiment_is_a_mean_shrunk_to_neutral():
    facts = facts_about({(990, "sentiment"): -1.0}, {(day, "sentiment"): -1.0 for day in range(900, 909)})

    assert facts.sentiment == pytest.approx([-0.5, -0.9])


def test_scores_are_kinds():
    assert set(SCORES) < set(KINDS)
    assert len(set(KINDS)) == len(KINDS) < 128
