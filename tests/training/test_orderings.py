from __future__ import annotations

import numpy as np
import pytest

from training.customer_table import worth
from training.orderings import ranked, rfm_score


def test_the_rfm_score_adds_three_quintiles():
    silence, orders, spend = np.array([1.0, 10, 20, 30, 40]), np.array([5.0, 4, 3, 2, 1]), np.arange(5.0)

    assert rfm_score(silence, orders, spend).tolist() == [11, 10, 9, 8, 7]
    assert rfm_score(silence, orders, -silence).tolist() == [15, 12, 9, 6, 3]


def test_the_list_is_ranked_by_score_and_then_by_id():
    assert ranked(np.array([1.0, 2.0, 2.0]), ["c", "b", "a"]).tolist() == [2, 1, 0]


@pytest.mark.parametrize(("ordering", "best"), [("learned", 2), ("btyd", 2), ("past_spend", 0)])
def test_the_list_follows_the_shipped_ordering(ordering, best):
    columns = {"spend": np.array([9.0, 5, 1]), "expected_value_of_contact": np.array([1.0, 2, 3])}

    assert int(np.argmax(worth(ordering, columns))) == best
