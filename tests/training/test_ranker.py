"""Both stages learn from what told bought candidates apart, and stay modest where there is little to learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import check_grad

from recsvc.domain.features import BLEND_NAMES, TREE_NAMES
from recsvc.serving.recommender import Recommender
from recsvc.serving.trees import Trees
from tests.trained import Trained
from training import blend as blend_module
from training.blend import BlendLessons, fit_blend, no_lessons, prior_blend
from training.config_recipe import RankerConfig
from training.metrics import ndcg
from training.past_returns import PastReturns, is_held_out, past_returns
from training.ranker import TOO_FEW, Trial, explore_cost, fit_ranker, mean_ndcg, slate_ndcg

RECIPE, RIDGE = RankerConfig(), RankerConfig().blend_ridge
N, SIZE = 400, 30  # customers, candidates of each


def lessons(told_by: Callable[[np.ndarray, np.random.Generator], np.ndarray], seed: int) -> PastReturns:
    """Noise in every column; the three candidates with the most of what `told_by` says were bought."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(N * SIZE, len(TREE_NAMES))).astype(np.float32)
    told = told_by(matrix, rng).reshape(N, SIZE)
    hits = (np.argsort(np.argsort(-told, axis=1), axis=1) < 3).ravel()
    held_out = np.arange(N) % 2 == 0
    return PastReturns(prior_blend(), matrix, hits, np.full(N, SIZE), np.full(N, 3), held_out)


def by_interaction(matrix: np.ndarray, _: np.random.Generator) -> np.ndarray:
    """Two columns that say something only together."""
    silence, due = TREE_NAMES.index("silence"), TREE_NAMES.index("due")
    return matrix[:, silence] * matrix[:, due]


def by_times_bought(matrix: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exactly what the prior blend ranks by."""
    return matrix[:, TREE_NAMES.index("order_days")] + 0.01 * matrix[:, TREE_NAMES.index("recent_share")]


def test_the_gradient_is_that_of_the_loss() -> None:
    rng = np.random.default_rng(4)
    matrix, sizes = rng.normal(size=(12, 3)), np.array([5, 4, 3])
    some = BlendLessons(matrix, np.array([0.5, 0, 0.5, 0, 0, 1, 0, 0, 0, 0, 1, 0]), sizes)

    for weight in (np.zeros(3), rng.normal(size=3)):
        difference = check_grad(
            lambda w: blend_module._loss(w, matrix, some, RIDGE)[0],
            lambda w: blend_module._loss(w, matrix, some, RIDGE)[1],
            weight,
        )
        assert difference < 1e-6


def test_the_prior_ranks_by_times_bought_then_by_what_is_popular() -> None:
    matrix = np.zeros((3, len(BLEND_NAMES)))
    matrix[:, BLEND_NAMES.index("order_days")] = np.log1p([0, 1, 1])
    matrix[:, BLEND_NAMES.index("recent_share")] = np.log([0.9, 0.1, 0.2])

    assert np.argsort(-prior_blend().score(matrix)).tolist() == [2, 1, 0]


def test_too_few_returns_leave_the_prior_and_no_trees(recommender: Recommender, everybody: list[str]) -> None:
    truth = {customer: frozenset({recommender.bundle.items.ids.id(0)}) for customer in everybody[:20]}

    found = fit_ranker([past_returns(recommender, truth, 7, RIDGE)], RECIPE, threads=1, seed=7)

    assert found.blend.to_json() == prior_blend().to_json()
    assert (found.trees, found.ranked_by.by_trees, found.ranked_by.why) == (None, False, TOO_FEW)
    assert fit_blend(no_lessons(), RIDGE).to_json() == prior_blend().to_json()
    assert len(past_returns(recommender, {}, 7, RIDGE)) == 0


def test_customers_who_came_back_for_new_products_teach_that(
    recommender: Recommender, everybody: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Truth: of what each never bought, the most popular item. Then `bought` must weigh against."""
    monkeypatch.setattr(blend_module, "MIN_RETURNS", 20)
    ids, trending = recommender.bundle.items.ids, recommender.bundle.items.trending()
    histories, _ = recommender.bundle.customers.get_many(everybody)
    truth = {}
    for position, customer in enumerate(everybody):
        lines = slice(*histories.line_offsets[position : position + 2])
        bought = set(histories.line_item[lines].tolist())
        new = [row for row in trending.tolist() if row not in bought]
        truth[customer] = frozenset({ids.id(new[0])}) if new else frozenset()

    found = past_returns(recommender, truth, 7, RIDGE).blend

    weights = dict(zip(BLEND_NAMES, found.weight, strict=True))
    assert weights["bought"] < 0 < weights["recent_share"]


def test_shortlists_say_what_was_bought_of_them(recommender: Recommender, everybody: list[str]) -> None:
    ids = recommender.bundle.items.ids
    truth = {customer: frozenset({ids.id(0), ids.id(1), "unknown"}) for customer in everybody}

    returns = past_returns(recommender, truth, 7, RIDGE)

    starts = np.cumsum(returns.sizes) - returns.sizes
    assert len(returns) == len(everybody)
    assert set(np.add.reduceat(returns.hits.astype(int), starts)) <= {1, 2}
    assert (returns.bought == 3).all()
    assert returns.matrix.shape == (returns.sizes.sum(), len(TREE_NAMES))
    assert returns.held_out.sum() == sum(map(is_held_out, everybody))


def test_trees_rank_where_they_tell_more_than_the_blend() -> None:
    days = [lessons(by_interaction, seed) for seed in (1, 2, 3)]

    found = fit_ranker(days, RECIPE, threads=1, seed=7)

    assert found.trial is not None
    assert found.trees is not None
    assert found.ranked_by.by_trees
    assert found.trial.trees > found.trial.blend + 0.2
    unseen = lessons(by_interaction, 4)
    everyone = np.ones(N, bool)
    scores = Trees(found.trees, TREE_NAMES).score(unseen.matrix)
    assert mean_ndcg(unseen, scores, everyone) > found.trial.blend + 0.2


def test_the_blend_ranks_where_trees_tell_no_more() -> None:
    found = fit_ranker([lessons(by_times_bought, seed) for seed in (1, 2, 3)], RECIPE, threads=1, seed=7)

    assert found.trial is not None
    assert found.trial.trees <= found.trial.blend
    assert (found.trees, found.ranked_by.by_trees) == (None, False)
    assert f"{found.trial.trees:.4f}" in found.ranked_by.why


def test_as_many_places_for_new_products_as_cost_little() -> None:
    def trial(one: float, two: float) -> Trial:
        return Trial(customers=100, trees=0.3, blend=0.2, explore_cost={1: one, 2: two})

    assert trial(0.004, 0.010).explore_slots() == 2
    assert trial(0.010, 0.020).explore_slots() == 1
    assert trial(0.020, 0.040).explore_slots() == 1


def test_places_for_new_products_cost_what_a_slate_with_them_loses() -> None:
    day = lessons(by_times_bought, 5)
    day.matrix[:, TREE_NAMES.index("bought")] = day.hits  # all that was bought had been bought before
    scores = day.hits.astype(float) * 2 + day.matrix[:, 0] / 100

    nothing, all_lost = (slate_ndcg(day, scores, day.held_out, slots) for slots in (0, 10))

    assert nothing == pytest.approx(mean_ndcg(day, scores, day.held_out)) == pytest.approx(1.0)
    assert slate_ndcg(day, scores, day.held_out, 7) == pytest.approx(1.0)  # three are bought, and stand first
    assert slate_ndcg(day, scores, day.held_out, 8) < 1.0
    assert all_lost == 0.0


def test_places_for_new_products_cost_nothing_where_nobody_is_asked() -> None:
    day = lessons(by_times_bought, 5)

    assert explore_cost(day, day.hits.astype(float), np.zeros(N, bool)) == {1: 0.0, 2: 0.0}
    assert explore_cost(day, day.hits.astype(float), np.ones(N, bool))[2] >= 0.0


def test_only_regular_customers_decide_what_new_products_cost() -> None:
    days = [lessons(by_interaction, seed) for seed in (1, 2)]
    for day in days:
        day.matrix[:, TREE_NAMES.index("orders")] = np.log1p(1)

    found = fit_ranker(days, RECIPE, threads=1, seed=7)

    assert found.trial is not None
    assert set(found.trial.explore_cost.values()) == {0.0}


def test_the_same_lessons_give_the_same_trees_on_any_number_of_threads() -> None:
    days = [lessons(by_interaction, seed) for seed in (1, 2)]

    assert fit_ranker(days, RECIPE, threads=1, seed=7) == fit_ranker(days, RECIPE, threads=2, seed=7)


def test_the_trial_measures_ndcg_as_the_back_test_does() -> None:
    day = lessons(by_interaction, 5)
    scores = np.random.default_rng(6).normal(size=len(day.matrix))

    values = []
    for customer in range(N):
        mine = slice(customer * SIZE, (customer + 1) * SIZE)
        ranked = [str(place) for place in np.argsort(-scores[mine])]
        values.append(ndcg(ranked, frozenset(map(str, np.flatnonzero(day.hits[mine]))), 10))

    assert mean_ndcg(day, scores, day.held_out) == pytest.approx(np.mean(np.array(values)[day.held_out]))


def test_the_trained_ranker_was_learned(trained: Trained, recommender: Recommender) -> None:
    assert recommender.bundle.blend.to_json() != prior_blend().to_json()
    assert "all ranking ndcg@10" in trained.outcome.manifest.metrics
