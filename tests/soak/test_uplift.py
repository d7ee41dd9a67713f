"""In twenty shops whose ranges came before the learner, targeting by learned uplift pays."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.uplift import earned
from training.uplift_worlds import N_WORLDS


@pytest.mark.soak
def test_learned_targeting_earns_more_than_past_spend_and_most_of_what_an_oracle_does() -> None:
    found = [earned(seed) for seed in range(N_WORLDS)]

    assert np.median([one.learned - 1.3 * one.past_spend for one in found]) >= 0
    assert np.median([one.of_oracle for one in found]) >= 0.8
