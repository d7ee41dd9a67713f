"""An explanation adds up to the ranking it explains, and changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.features import BLEND_NAMES, TREE_NAMES
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Explanation, Query, Slate
from tests.trained import NOW


@pytest.fixture(params=["trees", "blend"])
def by_stage(request: pytest.FixtureRequest, recommender: Recommender) -> Recommender:
    """The same bundle, ranked by either stage."""
    by_trees = request.param == "trees"
    ranking = replace(recommender.bundle.ranking, by_trees=by_trees)
    return Recommender(replace(recommender.bundle, ranking=ranking))


def explained(recommender: Recommender, customer_id: str) -> Slate:
    return recommender.recommend(Query(customer_id, k=20, explain=True), now=NOW)


def explanations_of(slate: Slate) -> list[Explanation]:
    return [item.explanation for item in slate.items if item.explanation is not None]


def test_contributions_add_up_to_the_score_but_for_a_constant(by_stage: Recommender, everybody: list[str]) -> None:
    expected = "trees" if by_stage.bundle.ranking.by_trees else "blend"
    for customer in everybody[::60]:
        slate = explained(by_stage, customer)

        found = explanations_of(slate)
        added = np.array([sum(one.contribution for one in why.features) for why in found])
        rest = np.array([item.score for item in slate.items]) - added
        assert len(found) == len(slate.items) > 0
        assert {why.ranked_by for why in found} == {expected}
        np.testing.assert_allclose(rest, rest[0], atol=1e-4)


def test_the_strongest_features_stand_first_under_the_names_of_the_stage(
    by_stage: Recommender, everybody: list[str]
) -> None:
    names = TREE_NAMES if by_stage.bundle.ranking.by_trees else BLEND_NAMES

    for why in explanations_of(explained(by_stage, everybody[0])):
        sizes = [abs(one.contribution) for one in why.features]
        assert sizes == sorted(sizes, reverse=True)
        assert {one.feature for one in why.features} <= set(names)


def test_sources_are_those_that_proposed_the_item(recommender: Recommender, everybody: list[str]) -> None:
    ids = recommender.bundle.items.ids
    trending = {ids.id(row) for row in recommender.bundle.items.trending()[:100]}
    for customer in everybody[::60]:
        history = recommender.bundle.customers.get(customer)
        assert history is not None
        bought = {ids.id(row) for row in history.line_item}

        slate = explained(recommender, customer)
        for item, why in zip(slate.items, explanations_of(slate), strict=True):
            assert why.sources
            assert ("own_history" in why.sources) == (item.item_id in bought)
            assert ("trending" in why.sources) == (item.item_id in trending)
            assert ("taste" in why.sources) <= (item.item_id not in bought)


def test_a_stranger_is_ranked_by_popularity_and_told_so(recommender: Recommender) -> None:
    found = explanations_of(explained(recommender, "nobody we know"))

    assert {why.ranked_by for why in found} == {"popularity"}
    assert {why.features for why in found} == {()}
    assert all("trending" in why.sources for why in found)


def test_explaining_changes_nothing_else(recommender: Recommender, everybody: list[str]) -> None:
    for customer in [*everybody[::60], "nobody we know"]:
        slate = explained(recommender, customer)

        plain = recommender.recommend(Query(customer, k=20), now=NOW)

        assert [replace(item, explanation=None) for item in slate.items] == list(plain.items)
        assert not explanations_of(plain)
