"""The taste vector is the one `implicit` itself would compute for the row; that is what the factors were fitted for."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from recsvc.domain.fold_in import FoldInParams, confidence, fold_in, fold_in_many
from recsvc.domain.history import Lines, build_histories
from recsvc.domain.item_history import item_histories
from training.interactions import user_items

N_CUSTOMERS, N_ITEMS, N_CATALOGUE, N_FACTORS = 60, 45, 40, 6
AS_OF_DAY = 1_000


def random_histories(rng):
    customer = np.sort(np.concatenate([np.arange(N_CUSTOMERS), rng.integers(0, N_CUSTOMERS, 900)]))
    day, item = rng.integers(0, AS_OF_DAY, len(customer)), rng.integers(0, N_ITEMS, len(customer))
    rows = np.unique(np.stack([customer, day, item], axis=1), axis=0)
    lines = Lines(
        day=rows[:, 1].astype(np.int32),
        item=rows[:, 2].astype(np.int32),
        is_product=np.ones(len(rows), bool),
        quantity=np.ones(len(rows), np.float32),
        amount=np.full(len(rows), 100, np.int64),
    )
    return build_histories([str(c) for c in range(N_CUSTOMERS)], rows[:, 0], lines)


def fitted(matrix, alpha, regularization):
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=N_FACTORS, regularization=regularization, alpha=alpha, iterations=3, random_state=7, num_threads=1
        )
        model.fit(matrix, show_progress=False)
    return model


def gram_of(factors):
    return factors.astype(np.float64).T @ factors.astype(np.float64)


@pytest.mark.parametrize(("alpha", "regularization"), [(1.0, 0.1), (0.3, 0.5), (40.0, 0.01), (2.5, 5.0)])
def test_fold_in_is_the_factor_that_implicit_recalculates(alpha, regularization):
    params = FoldInParams(alpha, regularization, half_life_days=90.0, max_count=4.0)
    histories = random_histories(np.random.default_rng(1))
    matrix = user_items(histories, AS_OF_DAY, N_CATALOGUE, params)
    model = fitted(matrix, alpha, regularization)
    assert (matrix.data < 1).any()
    assert (matrix.data > 1).any()

    own = item_histories(histories, np.full(N_CUSTOMERS, AS_OF_DAY, np.int32), params.half_life_days)
    vectors = fold_in_many(gram_of(model.item_factors), model.item_factors, own, params)

    with threadpool_limits(1, "blas"):
        theirs = model.recalculate_user(np.arange(N_CUSTOMERS), matrix)
    np.testing.assert_allclose(vectors, theirs, atol=1e-4)
    assert np.abs(theirs).max() > 0.1


def test_fold_in_minimises_the_loss_it_is_documented_to_minimise():
    rng = np.random.default_rng(2)
    factors = rng.normal(size=(7, 3)).astype(np.float32)
    rows, weight, pull = np.array([1, 4]), np.array([0.4, 3.0]), 0.7

    vector = fold_in(gram_of(factors), factors, rows, weight, pull).astype(np.float64)

    c, p = np.ones(7), np.zeros(7)
    c[rows], p[rows] = weight, 1.0
    gradient = -2 * factors.T @ (c * (p - factors @ vector)) + 2 * pull * vector
    np.testing.assert_allclose(gradient, 0, atol=1e-5)


def test_counts_are_capped_before_alpha():
    params = FoldInParams(alpha=2.0, regularization=1.0, half_life_days=90.0, max_count=3.0)

    weights = confidence(np.array([0.25, 3.0, 50.0]), params)

    np.testing.assert_array_equal(weights, [0.5, 6.0, 6.0])


def test_who_bought_nothing_with_factors_has_no_taste():
    params = FoldInParams(1.0, 1.0, 90.0, 10.0)
    lines = Lines(
        day=np.array([5], np.int32),
        item=np.array([N_CATALOGUE], np.int32),
        is_product=np.ones(1, bool),
        quantity=np.ones(1, np.float32),
        amount=np.ones(1, np.int64),
    )
    own = item_histories(build_histories(["a"], np.zeros(1, np.int64), lines), np.array([9], np.int32), 90.0)
    factors = np.ones((N_CATALOGUE, 2), np.float32)

    np.testing.assert_array_equal(fold_in_many(gram_of(factors), factors, own, params), np.zeros((1, 2)))


def test_the_matrix_of_the_fit_holds_the_counts_before_alpha():
    params = FoldInParams(alpha=7.0, regularization=1.0, half_life_days=10.0, max_count=1.2)
    lines = Lines(
        day=np.array([80, 90, 100], np.int32),
        item=np.array([0, 0, 1], np.int32),
        is_product=np.ones(3, bool),
        quantity=np.full(3, 9, np.float32),
        amount=np.full(3, 100, np.int64),
    )

    matrix = user_items(build_histories(["a"], np.zeros(3, np.int64), lines), 100, 2, params)

    np.testing.assert_allclose(matrix.toarray(), [[0.75, 1.0]])
    assert sp.issparse(matrix)
    assert matrix.dtype == np.float32
