from __future__ import annotations

import numpy as np

from training.baselines import als_alone, p_topfreq

TRENDING = np.array([3, 0, 4, 1, 2], np.int32)


def test_own_items_come_first_by_days_bought_ties_by_what_is_popular_now_then_the_popular_rest():
    bought, days = np.array([0, 1, 2, 3], np.int32), np.array([2, 5, 2, 2])

    assert p_topfreq(bought, days, TRENDING).tolist() == [1, 3, 0, 2, 4]


def test_items_outside_the_catalogue_are_not_shown():
    assert p_topfreq(np.array([2, 9], np.int32), np.array([1, 7]), TRENDING).tolist() == [2, 3, 0, 4, 1]


def test_who_bought_nothing_gets_what_is_popular():
    assert p_topfreq(np.zeros(0, np.int32), np.zeros(0, np.int64), TRENDING).tolist() == TRENDING.tolist()


def test_als_alone_is_the_highest_affinity_ties_by_row():
    affinity = np.array([0.5, 0.9, -1.0, 0.5, 0.9], np.float32)

    assert als_alone(affinity, 3).tolist() == [1, 4, 0]
    assert als_alone(affinity, 99).tolist() == [1, 4, 0, 3, 2]
