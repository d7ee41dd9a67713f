"""The trees of a bundle: read strictly, the same for a row whatever stands beside it, and able to say why."""

from __future__ import annotations

import numpy as np
import pytest

from recsvc.domain.arrays import Factors
from recsvc.domain.features import TREE_NAMES
from recsvc.errors import BundleCorrupt
from recsvc.serving.recommender import Recommender
from recsvc.serving.rules import Rules
from recsvc.serving.trees import Trees


@pytest.fixture(scope="module")
def trees(recommender: Recommender) -> Trees:
    return Trees.from_file(recommender.bundle.trees_file, TREE_NAMES)


@pytest.fixture(scope="module")
def matrix(recommender: Recommender, everybody: list[str]) -> Factors:
    histories, _ = recommender.bundle.customers.get_many(everybody[:20])
    found = recommender.score(histories, Rules())[0].matrix
    return np.asarray(found, np.float32)


def test_a_row_has_the_same_score_alone_and_among_others(trees: Trees, matrix: Factors) -> None:
    together = trees.score(matrix)

    assert len(set(together.tolist())) > 20
    np.testing.assert_array_equal(np.concatenate([trees.score(matrix[n : n + 1]) for n in range(50)]), together[:50])
    np.testing.assert_array_equal(trees.score(matrix[::-1]), together[::-1])


def test_contributions_add_up_to_the_score_but_for_what_all_rows_share(trees: Trees, matrix: Factors) -> None:
    rest = trees.score(matrix) - trees.contributions(matrix).sum(axis=1)

    np.testing.assert_allclose(rest, rest[0], atol=1e-6)


def test_nothing_to_score_is_nothing(trees: Trees) -> None:
    empty = np.zeros((0, len(TREE_NAMES)), np.float32)

    assert trees.score(empty).shape == (0,)
    assert trees.contributions(empty).shape == empty.shape


def test_other_features_or_a_text_that_breaks_off_are_refused(recommender: Recommender) -> None:
    text = recommender.bundle.trees_file.read_text("utf-8")

    with pytest.raises(BundleCorrupt, match="other features"):
        Trees(text, TREE_NAMES[::-1])
    for length in (0, 4, len(text) // 3, len(text) // 2):
        with pytest.raises(BundleCorrupt, match="not all there"):
            Trees(text[:length], TREE_NAMES)
