"""The blend is fitted on what told bought candidates apart, and stays the prior where there is nothing to learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad

from recsvc.domain.features import FEATURE_NAMES
from recsvc.serving.recommender import Recommender
from tests.trained import Trained
from training import ranker
from training.ranker import PastReturns, fit_blend, past_returns, prior_blend


def test_the_gradient_is_that_of_the_loss() -> None:
    rng = np.random.default_rng(4)
    matrix, starts = rng.normal(size=(12, 3)), np.array([0, 5, 9])
    target = np.array([0.5, 0, 0.5, 0, 0, 1, 0, 0, 0, 0, 1, 0])
    returns = PastReturns(matrix, starts, target)

    for weight in (np.zeros(3), rng.normal(size=3)):
        difference = check_grad(
            lambda w: ranker._loss(w, matrix, returns)[0], lambda w: ranker._loss(w, matrix, returns)[1], weight
        )
        assert difference < 1e-6


def test_the_prior_ranks_by_times_bought_then_by_what_is_popular() -> None:
    matrix = np.zeros((3, len(FEATURE_NAMES)))
    matrix[:, FEATURE_NAMES.index("order_days")] = np.log1p([0, 1, 1])
    matrix[:, FEATURE_NAMES.index("recent_share")] = np.log([0.9, 0.1, 0.2])

    assert np.argsort(-prior_blend().score(matrix)).tolist() == [2, 1, 0]


def test_too_few_returns_leave_the_prior(recommender: Recommender, everybody: list[str]) -> None:
    truth = {customer: frozenset({recommender.bundle.items.ids.id(0)}) for customer in everybody[:20]}

    assert fit_blend(recommender, truth, 7).to_json() == prior_blend().to_json()
    assert fit_blend(recommender, {}, 7).to_json() == prior_blend().to_json()


def test_customers_who_came_back_for_new_products_teach_that(
    recommender: Recommender, everybody: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Truth: of what each never bought, the most popular item. Then `bought` must weigh against."""
    monkeypatch.setattr(ranker, "MIN_RETURNS", 20)
    ids, trending = recommender.bundle.items.ids, recommender.bundle.items.trending()
    histories, _ = recommender.bundle.customers.get_many(everybody)
    truth = {}
    for position, customer in enumerate(everybody):
        lines = slice(*histories.line_offsets[position : position + 2])
        new = [row for row in trending.tolist() if row not in set(histories.line_item[lines].tolist())]
        truth[customer] = frozenset({ids.id(new[0])}) if new else frozenset()

    blend = fit_blend(recommender, truth, 7)

    weights = dict(zip(FEATURE_NAMES, blend.weight, strict=True))
    assert weights["bought"] < 0 < weights["recent_share"]


def test_labels_share_one_among_the_candidates_bought(recommender: Recommender, everybody: list[str]) -> None:
    ids = recommender.bundle.items.ids
    truth = {customer: frozenset({ids.id(0), ids.id(1), "unknown"}) for customer in everybody}

    returns = past_returns(recommender, truth, 7)

    sums = np.add.reduceat(returns.target, returns.starts)
    np.testing.assert_allclose(sums, 1.0)
    assert set(returns.target) == {0.0, 0.5}
    orders = recommender.bundle.customer_table["orders"].to_numpy()
    assert len(returns.starts) == int((orders >= 3).sum())


def test_the_trained_blend_was_learned(trained: Trained, recommender: Recommender) -> None:
    assert recommender.bundle.blend.to_json() != prior_blend().to_json()
    assert "all ranking ndcg@10" in trained.outcome.manifest.metrics
