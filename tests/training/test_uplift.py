"""What a contact adds is learned from lots: on customers whose uplift is known."""

from __future__ import annotations

import numpy as np
import pytest

from training.uplift import FOLDS, LEARNERS, Lots, Uplift, cross_fitted, fit_uplift, is_beyond_chance, qini
from training.uplift_worlds import RANGES, draw_history, draw_next, draw_world

N = 6_000


def lots_of(uplift: np.ndarray, seed: int, contacted: float = 0.7) -> Lots:
    """Customers whose second column says what a contact does to them, and whose first that they come back anyway."""
    rng = np.random.default_rng(seed)
    seen = np.column_stack([rng.random(len(uplift)), uplift])
    is_contacted = rng.random(len(uplift)) < contacted
    chance = 0.2 + 0.4 * (seen[:, 0] > 0.5) + uplift * is_contacted
    return Lots(seen, is_contacted, rng.random(len(uplift)) < chance)


@pytest.fixture(scope="module")
def lots() -> Lots:
    return lots_of(np.random.default_rng(1).choice([-0.2, 0.0, 0.3], N), seed=2)


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_tells_whom_a_contact_brings_back_from_who_comes_anyway(name: str, lots: Lots) -> None:
    found = LEARNERS[name](lots, 7)(lots.seen)

    means = [found[lots.seen[:, 1] == uplift].mean() for uplift in (-0.2, 0.0, 0.3)]
    assert means == pytest.approx([-0.2, 0.0, 0.3], abs=0.06)


def test_qini_is_highest_in_the_true_order_about_0_by_lot_and_below_in_the_wrong_one(lots: Lots) -> None:
    truth, by_lot = lots.seen[:, 1], np.random.default_rng(3).random(N)

    right, chance, wrong = (qini(order, lots.is_contacted, lots.returned) for order in (truth, by_lot, -truth))

    assert right > 0.03
    assert abs(chance) < 0.01
    assert wrong < -0.03


def test_the_learner_with_the_higher_cross_fitted_qini_is_kept(lots: Lots) -> None:
    fit = fit_uplift(lots)

    assert set(fit.qini) == set(LEARNERS)
    assert fit.qini[fit.name] == max(fit.qini.values()) > 0.02
    assert fit.predict(lots.seen).tolist() == fit_uplift(lots).predict(lots.seen).tolist()


def test_nobodys_uplift_is_learned_from_themselves(lots: Lots) -> None:
    """A learner that remembers who it saw finds nobody of the fold it predicts."""
    few = lots.part(np.arange(N) < 100)
    numbered = Lots(np.arange(100.0)[:, None], few.is_contacted, few.returned)

    def remembers(part: Lots, seed: int) -> Uplift:
        return lambda seen: np.isin(seen[:, 0], part.seen[:, 0]).astype(np.float64)

    assert not cross_fitted(remembers, numbered, 7).any()
    assert FOLDS > 1


def test_where_a_contact_does_the_same_to_everybody_nothing_is_gained_by_an_order() -> None:
    same = lots_of(np.zeros(N) + np.random.default_rng(4).normal(0, 1e-9, N), seed=5)

    assert max(fit_uplift(same).qini.values()) < 0.01


def test_an_order_that_gains_nothing_is_told_from_one_that_does(lots: Lots) -> None:
    same = lots_of(np.zeros(N) + np.random.default_rng(4).normal(0, 1e-9, N), seed=5)

    assert is_beyond_chance(max(fit_uplift(lots).qini.values()), lots)
    assert not is_beyond_chance(max(fit_uplift(same).qini.values()), same)


def test_a_few_returns_are_not_enough(lots: Lots) -> None:
    assert lots.are_enough
    assert not lots.part(np.arange(N) < 200).are_enough


def test_a_shop_is_drawn_within_its_ranges_and_its_lots_follow_its_truth() -> None:
    world = draw_world(3)
    history, is_contacted, returned = draw_history(world)

    assert all(low <= world.figures[name] <= high for name, (low, high) in RANGES.items())
    for arm, chance in ((is_contacted, history.contacted), (~is_contacted, history.alone)):
        assert returned[arm].mean() == pytest.approx(chance[arm].mean(), abs=0.02)
    assert draw_next(world).value.tolist() == draw_next(draw_world(3)).value.tolist()
