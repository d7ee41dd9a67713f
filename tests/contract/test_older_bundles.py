"""Bundles of earlier releases go on serving as they did: what they lack is not asked of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest

from recsvc.bundle.reader import BOUGHT_TOGETHER, ITEMS, LIKED_TOGETHER, NEIGHBOUR_PARTS, RANKER, TREES, neighbour_file
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query
from tests.trained import NOW, Trained, reopened

SINCE_TREES = ("rebuy_gap", "rebuy_spread", "n_rebuys", "comeback_lift", "n_week_buyers", "top_category")


@pytest.fixture
def before_trees(trained: Trained, tmp_path: Path) -> Recommender:
    """The bundle without trees, neighbours and the statistics that came with them."""
    folder = tmp_path / "before"
    parts = [neighbour_file(name, part) for name in (BOUGHT_TOGETHER, LIKED_TOGETHER) for part in NEIGHBOUR_PARTS]
    shutil.copytree(trained.artifacts / trained.bundle_id, folder, ignore=shutil.ignore_patterns(TREES, *parts))
    blend = orjson.loads((folder / RANKER).read_bytes())
    del blend["ranked_by"], blend["why"]
    (folder / RANKER).write_bytes(orjson.dumps(blend))
    pq.write_table(pq.read_table(folder / ITEMS).drop_columns(list(SINCE_TREES)), folder / ITEMS)
    return Recommender(reopened(trained, folder, TREES, *parts))


def test_a_bundle_from_before_there_were_trees_is_ranked_by_its_blend(
    before_trees: Recommender, everybody: list[str]
) -> None:
    slates = before_trees.recommend_many([Query(one, explain=True) for one in everybody[::50]], now=NOW)

    for slate in slates:
        scores = [item.score for item in slate.items[:8]]
        assert len(slate.items) == 10
        assert scores == sorted(scores, reverse=True)
        for item in slate.items:
            assert item.explanation is not None
            assert item.explanation.ranked_by == "blend"
            assert item.explanation.blend_score == item.score
            assert not {"bought_together", "liked_together", "comebacks"} & set(item.explanation.sources)


def test_nothing_goes_together_in_it(before_trees: Recommender) -> None:
    shop = before_trees.bundle.shop

    assert not np.diff(shop.bought_together.offsets).any()
    assert len(shop.liked_together) == before_trees.bundle.items.n_catalogue
