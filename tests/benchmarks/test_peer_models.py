"""The peers are what their papers and library say, so that beating them means something."""

from __future__ import annotations

import numpy as np
import pytest
from implicit.nearest_neighbours import CosineRecommender
from implicit.utils import ParameterWarning

from recsvc.domain.history import Histories, Lines, build_histories
from recsvc.domain.ids import ItemIds
from tests.benchmarks import ease, item_knn, tifu_knn
from tests.benchmarks.ease import Ease
from tests.benchmarks.item_knn import ItemKnn
from tests.benchmarks.peer_past import PeerPast, Weighting
from tests.benchmarks.tifu_knn import Decay, TifuKnn
from training.split import Cohort

N_ITEMS, DAY = 40, 100
COUNTS = Weighting(np.inf, 1.0)


def past_of(histories: Histories, n_items: int) -> PeerPast:
    nobody = Cohort(histories.customer_ids, {}, {})
    ids = ItemIds([f"i{row}" for row in range(n_items)])
    return PeerPast(DAY, histories, n_items, ids, nobody, np.arange(len(histories)))


def bought(rows: list[tuple[int, int, int]]) -> Histories:
    """Customer, day and item of every line."""
    customer, day, item = np.array(sorted(set(rows))).T
    ones = np.ones(len(item))
    lines = Lines(day.astype(np.int32), item.astype(np.int32), ones > 0, ones.astype(np.float32), ones.astype(np.int64))
    return build_histories([f"c{one}" for one in range(customer.max() + 1)], customer, lines)


@pytest.fixture(scope="module")
def past() -> PeerPast:
    rng = np.random.default_rng(5)
    return past_of(bought([(c, d, int(rng.zipf(1.5)) % N_ITEMS) for c in range(25) for d in range(0, 90, 4)]), N_ITEMS)


def test_ease_is_the_closed_form_of_the_paper(past: PeerPast) -> None:
    weights = past.weights(COUNTS).toarray().astype(float)
    inverse = np.linalg.inv(weights.T @ weights + 5.0 * np.eye(N_ITEMS))
    companions = -inverse / np.diag(inverse)
    companions[np.diag_indices(N_ITEMS)] = 0.0

    found = ease.scores(past, Ease(COUNTS, regularization=5.0, own=0.0))

    assert found == pytest.approx(weights @ companions, abs=1e-3)


def test_item_knn_ranks_as_the_library_does(past: PeerPast) -> None:
    weights = past.weights(COUNTS)
    model = CosineRecommender(K=10, num_threads=1)
    with pytest.warns(ParameterWarning, match="coo_matrix"):  # of the matrix it made itself
        model.fit(weights, show_progress=False)

    found = item_knn.scores(past, ItemKnn("cosine", COUNTS, neighbours=10, own=0.0))

    for customer in range(5):
        items, strength = model.recommend(customer, weights[customer], N=8, filter_already_liked_items=False)
        ratio = found[customer, items] / strength
        assert ratio == pytest.approx(np.full(len(items), ratio[0]), rel=1e-4)  # one scale for all
        assert found[customer].max() == pytest.approx(found[customer, items[0]])


def test_own_purchases_are_added_where_asked_for(past: PeerPast) -> None:
    plain, more = (ease.scores(past, Ease(COUNTS, 5.0, own)) for own in (0.0, 2.0))

    assert more - plain == pytest.approx(2.0 * past.weights(COUNTS).toarray(), abs=1e-3)


def test_tifu_vectors_decay_within_and_between_groups() -> None:
    five_baskets = bought([(0, day, item) for day, item in [(1, 0), (2, 1), (3, 1), (4, 2), (5, 3)]])

    found = tifu_knn.vectors(past_of(five_baskets, 4), Decay(groups=3, within=0.9, between=0.6))

    # Groups of two: (day 1), (days 2, 3), (days 4, 5); the first one holds a single basket.
    first, second, third = 0.6**2 / 3, 0.6 / 3, 1 / 3
    assert found.toarray()[0] == pytest.approx([first, (0.9 + 1) / 2 * second, 0.9 / 2 * third, 1 / 2 * third])


def test_tifu_mixes_a_customer_with_the_nearest_others() -> None:
    alike, alone = [(0, 1, 0), (1, 1, 0), (1, 1, 1)], [(2, 1, 3)]

    found = tifu_knn.scores(past_of(bought([*alike, *alone]), 4), TifuKnn(Decay(3, 1.0, 1.0), neighbours=1, alpha=0.7))

    assert found[0] == pytest.approx([1.0, 0.3, 0.0, 0.0])
