"""Lots are even and independent, and arms have the size they should in every stratum."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from recsvc.experiments.assignment import draw_arms, held_out_of_everything, lots

IDS = [f"customer {number}" for number in range(20_000)]


def test_lots_are_uniform_and_another_salt_draws_independently() -> None:
    spring, summer = lots(IDS, "spring"), lots(IDS, "summer")
    assert kstest(spring, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(spring, summer)[0, 1]) < 0.03


def test_a_lot_depends_on_the_customer_alone() -> None:
    assert lots(IDS[:10], "spring").tolist() == lots(IDS[:10][::-1], "spring")[::-1].tolist()


def test_the_global_holdout_has_its_share_and_grows_with_it() -> None:
    small, large = (held_out_of_everything(IDS, share, "shop-2026") for share in (0.1, 0.2))
    assert abs(small.mean() - 0.1) < 0.01
    assert not (small & ~large).any()


@given(
    st.lists(st.integers(0, 5), max_size=200),
    st.lists(st.floats(0.01, 0.3), min_size=1, max_size=3),
    st.integers(0, 2**32),
)
def test_every_arm_has_its_share_of_every_stratum_to_a_customer(
    strata: list[int], shares: list[float], seed: int
) -> None:
    stratum = np.array(strata, np.int64)
    arm = draw_arms(np.random.default_rng(seed).random(len(stratum)), stratum, shares)
    for where in (np.ones(len(stratum), bool), *(stratum == one for one in set(strata))):
        sizes = np.bincount(arm[where], minlength=len(shares) + 1)
        assert (np.abs(sizes[1:] - np.array(shares) * where.sum()) <= 2).all()
        assert abs(sizes[0] - (1 - sum(shares)) * where.sum()) <= 2


def test_who_is_in_which_arm_does_not_depend_on_the_order_of_customers() -> None:
    lot, stratum = lots(IDS[:300], "x"), np.arange(300) % 4
    turned = draw_arms(lot[::-1], stratum[::-1], [0.1, 0.2])[::-1]
    assert draw_arms(lot, stratum, [0.1, 0.2]).tolist() == turned.tolist()
