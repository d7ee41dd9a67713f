"""What a whole profile adds to the state of a customer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.category_clock import CategoryClocks, top_categories
from recsvc.domain.habits import Habit
from recsvc.domain.lapse import LapseParams
from recsvc.domain.shelf import build_shelf
from recsvc.serving.customer_state import NOWHERE
from recsvc.serving.profile_writer import ProfileWriter
from recsvc.serving.recommender import Recommender
from recsvc.serving.whys import WhyWriter
from tests.domain.record_strategies import summary

PATHS = ["COFFEE", "BREAD"]
COFFEE = [(day, 0, 1, 100) for day in range(0, 150, 30)]
BREAD = [(day, 1, 1, 100) for day in range(0, 300, 10)]


@pytest.fixture(scope="module")
def writer(recommender: Recommender) -> ProfileWriter:
    clocks = CategoryClocks(dict.fromkeys(PATHS, LapseParams(p=4.0, q=3.0, v=20.0)))
    models = replace(recommender.bundle.models, category_clocks=clocks)
    shelf, whys = build_shelf(PATHS, *np.ones((2, 2), np.int64)), WhyWriter(models, None)
    return ProfileWriter(models, shelf, whys, lambda _: Habit(18, "app"), top_categories(PATHS))


def test_who_still_orders_is_told_which_category_they_let_lapse(writer: ProfileWriter) -> None:
    [state] = writer.of_many(summary({"a": COFFEE + BREAD}), 300, [NOWHERE])

    [faded] = state.faded_categories
    assert (faded.category, faded.orders, faded.days_since) == ("COFFEE", 5, 180)
    assert 20 < faded.usual_gap_days < 35


def test_who_lapsed_altogether_let_no_single_category_lapse(writer: ProfileWriter) -> None:
    [state] = writer.of_many(summary({"a": COFFEE}), 3_000, [NOWHERE])

    assert state.state in {"lapsed", "lost"}
    assert state.faded_categories == ()


def test_habits_are_those_of_the_customer(writer: ProfileWriter) -> None:
    [state] = writer.of_many(summary({"a": BREAD}), 300, [NOWHERE])

    assert (state.best_hour, state.best_channel) == (18, "app")
