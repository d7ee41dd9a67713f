"""Items that go together, against the dense formula, and the caps that keep the cost in proportion to the data."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from recsvc.domain.neighbours import Neighbours, closeness, no_neighbours
from recsvc.domain.pairs import Pairs
from tests.domain.record_strategies import summary
from training import neighbours as module
from training.neighbours import NEAREST, NeighbourSample, bought_together, liked_together, nearest

N_CATALOGUE = 4
BASKETS = summary(
    {
        "a": [(1, 0, 1, 1), (1, 1, 1, 1), (9, 0, 1, 1), (9, 1, 1, 1), (9, 5, 1, 1)],
        "b": [(1, 0, 1, 1), (1, 2, 1, 1)],
        "c": [(4, 3, 1, 1)],
    }
)


def sample_of(histories: object, n_lines: int = 10, seed: int = 1) -> module.Purchases:
    sample = NeighbourSample(n_lines, N_CATALOGUE, seed)
    sample.add(histories)  # type: ignore[arg-type]
    return sample.lines()


def dense(found: Neighbours) -> np.ndarray:
    return found.matrix().toarray()


def cosine(weights: np.ndarray, shrinkage: float) -> np.ndarray:
    length = np.sqrt((weights**2).sum(axis=0) + shrinkage)
    similar = (weights / length).T @ (weights / length)
    np.fill_diagonal(similar, 0)
    return similar


def test_similarity_is_the_shrunk_cosine_and_nothing_is_near_itself() -> None:
    weights = np.random.default_rng(3).random((30, 12)) * (np.random.default_rng(4).random((30, 12)) < 0.4)

    found = nearest(sp.csr_matrix(weights.astype(np.float32)), 2.0, 1)

    np.testing.assert_allclose(dense(found), cosine(weights, 2.0), atol=1e-5)


def test_no_item_keeps_more_than_the_nearest() -> None:
    n_items = NEAREST + 40
    weights = np.random.default_rng(5).random((60, n_items)).astype(np.float32)

    found = nearest(sp.csr_matrix(weights), 1.0, 2)

    lengths = np.diff(found.offsets)
    assert set(lengths.tolist()) <= {NEAREST - 1, NEAREST}
    expected = cosine(weights.astype(float), 1.0)
    for item in range(n_items):
        mine = slice(*found.offsets[item : item + 2])
        least_kept = expected[item, found.item[mine]].min()
        assert np.delete(expected[item], found.item[mine]).max() <= least_kept + 1e-6


def test_bought_together_counts_orders_and_leaves_out_what_is_not_for_sale() -> None:
    found = bought_together(sample_of(BASKETS), N_CATALOGUE, 1)

    orders = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]], float)
    np.testing.assert_allclose(dense(found), cosine(orders, module.ORDER_SHRINKAGE), atol=1e-6)


def test_liked_together_weighs_customers_by_the_root_of_decayed_order_days() -> None:
    found = liked_together(sample_of(BASKETS), N_CATALOGUE, as_of_day=11, half_life_days=5.0, threads=1)

    a, b, c = 0.5**2 + 0.5 ** (2 / 5), 0.5**2, 0.5 ** (7 / 5)
    liked = np.sqrt(np.array([[a, a, 0, 0], [b, 0, b, 0], [0, 0, 0, c]]))
    np.testing.assert_allclose(dense(found), cosine(liked, module.CUSTOMER_SHRINKAGE), atol=1e-6)


def test_endless_orders_count_by_their_most_popular_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BASKET", 2)
    stock_up = summary({"a": [(1, item, 1, 1) for item in range(4)], "b": [(2, 3, 1, 1)], "c": [(2, 1, 1, 1)]})

    found = dense(bought_together(sample_of(stock_up), N_CATALOGUE, 1))

    assert np.argwhere(found > 0).tolist() == [[1, 3], [3, 1]]


def test_a_sample_of_customers_is_fixed_by_its_seed_and_keeps_them_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINES", 300)
    many = summary({f"{n:04}": [(day, day % 4, 1, 1) for day in range(4)] for n in range(200)})

    first, again, other = (sample_of(many, n_lines=800, seed=seed) for seed in (1, 1, 2))

    np.testing.assert_array_equal(first.customer, again.customer)
    assert first.customer.tolist() != other.customer.tolist()
    assert set(np.unique(first.customer, return_counts=True)[1].tolist()) == {4}
    assert 150 < len(first.customer) < 450


def test_closeness_is_the_part_of_what_was_bought_that_goes_with_an_item() -> None:
    together = bought_together(sample_of(BASKETS), N_CATALOGUE, 1)
    liked = np.array([[2.0, 1, 0, 0], [0, 0, 0, 0]])
    pairs = Pairs(np.repeat([0, 1], 4), np.tile(np.arange(4, dtype=np.int32), 2))

    found = closeness(pairs, sp.csr_matrix(liked), together)

    np.testing.assert_allclose(found, np.concatenate([dense(together) @ liked[0] / 3, np.zeros(4)]), atol=1e-6)
    assert not closeness(pairs, sp.csr_matrix(liked), no_neighbours(N_CATALOGUE)).any()
