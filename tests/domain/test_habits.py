from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.habits import USUAL_ACTS, preferred

rows = st.lists(st.lists(st.integers(0, 40), min_size=4, max_size=4), min_size=1, max_size=6)


@given(rows)
def test_many_own_acts_decide_and_none_leave_the_usual_choice(counts):
    usual = np.array([0.1, 0.6, 0.2, 0.1])

    choice, known = preferred(np.array(counts), usual)

    for row, own in enumerate(counts):
        assert known[row] == (sum(own) > 0)
        assert choice[row] == (1 if not any(own) else int(np.argmax(np.array(own) + USUAL_ACTS * usual)))


def test_of_equal_choices_the_first_is_preferred():
    choice, _ = preferred(np.array([[3, 3]]), np.array([0.5, 0.5]))

    assert choice.tolist() == [0]
