"""The course of a state is what the profile of each later day says, day by day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.domain.course import courses
from recsvc.domain.profiles import profiles
from recsvc.domain.segments import HighValueRule
from recsvc.serving.customer_state import day_of, state_at, summary_at
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import CustomerSummary

SUMMARY = tuple(CustomerSummary.__slots__)


@settings(max_examples=40)
@given(later=st.integers(0, 3_000), threshold=st.sampled_from([None, 0.0, 50.0, 400.0, 1e9]))
def test_the_course_says_what_the_profile_of_the_day_says(
    recommender: Recommender, everybody: list[str], later: int, threshold: float | None
) -> None:
    models = recommender.bundle.models
    if threshold is not None:
        models = replace(models, high_value=HighValueRule(0.2, threshold))
    histories, _ = recommender.bundle.customers.get_many(everybody)
    day = day_of(recommender.as_of) + later

    figures = profiles(histories, models, day)
    found = [summary_at(course, day) for course in courses(histories, models)]

    expected = [state_at(figures, position) for position in range(len(histories))]
    assert [tuple(getattr(one, name) for name in SUMMARY) for one in found] == [
        tuple(getattr(one, name) for name in SUMMARY) for one in expected
    ]


def test_some_cease_to_be_of_high_value_while_they_are_silent_and_none_begins(
    recommender: Recommender, everybody: list[str]
) -> None:
    histories, _ = recommender.bundle.customers.get_many(everybody)

    found = courses(histories, recommender.bundle.models)

    ends = np.array([course.high_value_days for course in found])
    assert ((ends > 1) & np.isfinite(ends)).any()
    assert np.isinf(ends).any()
    for course in found:
        valuable = [course.is_high_value(silence) for silence in range(1, 400)]
        assert valuable == sorted(valuable, reverse=True)


@pytest.mark.parametrize("early", [0, 1, 5])
def test_before_the_last_order_is_past_it_counts_as_of_yesterday(
    recommender: Recommender, everybody: list[str], early: int
) -> None:
    histories, _ = recommender.bundle.customers.get_many(everybody[:1])
    (course,) = courses(histories, recommender.bundle.models)

    assert summary_at(course, course.last_order_day - early).days_since_last_purchase == 1
