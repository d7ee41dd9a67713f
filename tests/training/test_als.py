"""The fit of item factors, on data whose right answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from recsvc.bundle.reader import INDEX
from recsvc.domain.fold_in import FoldInParams, fold_in_many
from recsvc.domain.item_history import item_histories
from recsvc.serving.retrieval import ItemIndex
from tests.domain.record_strategies import summary
from training.als import fit_item_factors, gram_matrix
from training.config_recipe import AlsConfig
from training.index import write_index
from training.interactions import user_items, weighted

SIZE, AS_OF_DAY = 20, 30
CONFIG = AlsConfig(factors=4, regularization=0.01, iterations=15)
PARAMS = FoldInParams(CONFIG.alpha, CONFIG.regularization, CONFIG.half_life, CONFIG.max_count)


@pytest.fixture(scope="module")
def checkerboard():
    """Customer c bought the items of its colour (c + i even), all but one."""
    board = {
        str(customer): [
            (day, item, 1, 100)
            for day, item in enumerate(item for item in range(SIZE) if (customer + item) % 2 == 0)
            if item != left_out(customer)
        ]
        for customer in range(SIZE)
    }
    return summary(board)


def left_out(customer):
    return (customer + 2 * (customer // 4)) % SIZE


def fitted(histories, **changes):
    matrix = user_items(histories, AS_OF_DAY, SIZE, PARAMS)
    return fit_item_factors(matrix, CONFIG.model_copy(update=changes), 1, lambda share: None)


def test_customers_of_one_colour_get_the_item_of_that_colour_they_lack(checkerboard, tmp_path):
    factors = fitted(checkerboard)
    own = item_histories(checkerboard, np.full(SIZE, AS_OF_DAY, np.int32), PARAMS.half_life_days)
    vectors = fold_in_many(gram_matrix(factors), factors, own, PARAMS)
    write_index(factors, tmp_path / INDEX)
    index = ItemIndex(tmp_path / INDEX, factors)

    for customer in range(SIZE):
        unseen = np.ones(SIZE, bool)
        unseen[own.item[own.offsets[customer] : own.offsets[customer + 1]]] = False
        assert index.nearest(vectors[customer], 1, unseen).tolist() == [left_out(customer)]
        ranked = index.nearest(vectors[customer], SIZE, np.ones(SIZE, bool))
        assert {(customer + item) % 2 for item in ranked[: SIZE // 2]} == {0}


def test_the_same_seed_gives_the_same_factors_and_another_gives_others(checkerboard):
    np.testing.assert_array_equal(fitted(checkerboard), fitted(checkerboard))
    assert not np.array_equal(fitted(checkerboard), fitted(checkerboard, random_state=8))


def test_progress_runs_from_the_first_iteration_to_all_of_them(checkerboard):
    shares = []
    matrix = user_items(checkerboard, AS_OF_DAY, SIZE, PARAMS)

    factors = fit_item_factors(matrix, CONFIG, 1, shares.append)

    assert shares == pytest.approx([(done + 1) / 15 for done in range(15)])
    assert factors.dtype == np.float32
    assert factors.shape == (SIZE, 4)


def test_a_win_back_weight_of_one_changes_nothing_and_more_multiplies_those_rows_only(checkerboard):
    matrix = user_items(checkerboard, AS_OF_DAY, SIZE, PARAMS)
    before = matrix.toarray()
    chosen = np.arange(SIZE) % 3 == 0

    np.testing.assert_array_equal(weighted(matrix.copy(), chosen, 1.0).toarray(), before)
    heavier = weighted(matrix.copy(), chosen, 1.5).toarray()

    np.testing.assert_allclose(heavier[chosen], before[chosen] * 1.5)
    np.testing.assert_array_equal(heavier[~chosen], before[~chosen])


def test_the_index_never_answers_with_what_is_not_allowed_and_never_pads(checkerboard, tmp_path):
    factors = fitted(checkerboard)
    write_index(factors, tmp_path / INDEX)
    index = ItemIndex(tmp_path / INDEX, factors)
    rng = np.random.default_rng(3)

    for _ in range(50):
        allowed, vector = rng.random(SIZE) < 0.3, rng.normal(size=4).astype(np.float32)
        found = index.nearest(vector, 8, allowed)

        rows = np.flatnonzero(allowed)
        best = rows[np.argsort(-(factors[rows] @ vector), kind="stable")][:8]
        np.testing.assert_allclose(factors[found] @ vector, factors[best] @ vector, rtol=1e-5)
        assert len(found) == min(8, allowed.sum())
        assert allowed[found].all()
    assert len(index.nearest(np.zeros(4, np.float32), 0, np.ones(SIZE, bool))) == 0
