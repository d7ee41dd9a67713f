"""Families of features, and how far they move a customer's place."""

from dataclasses import replace

import numpy as np
import pytest

from recsvc.domain.customer_features import FEATURE_NAMES, customer_features
from recsvc.domain.profiles import profiles
from recsvc.domain.return_model import Targeting
from recsvc.domain.why import FAMILIES, FAMILY_OF, OUTLOOK, family_weights


@pytest.fixture(scope="module")
def models(recommender):
    """Those of a small shop, as if the learned ordering had not lost its races."""
    fitted = recommender.bundle.models
    return replace(fitted, targeting=replace(fitted.targeting, ordering="learned"))


@pytest.fixture(scope="module")
def figures(recommender, models):
    bundle = recommender.bundle
    histories, _ = bundle.customers.get_many(bundle.customer_table["customer_id"].to_pylist()[:60])
    return profiles(histories, models, bundle.items.as_of_day)


def test_every_feature_belongs_to_a_family_and_only_the_season_has_no_words():
    assert set(FAMILY_OF) == set(FEATURE_NAMES)
    assert set(FAMILY_OF.values()) == set(FAMILIES)
    assert [name for name in FEATURE_NAMES if FAMILY_OF[name] == OUTLOOK] == ["season_sin", "season_cos"]


def test_families_add_up_to_the_order_of_the_win_back_list_near_the_average_customer(models, figures):
    learned = models.targeting.returns

    weights = family_weights(figures, models, warning=False)

    standard = learned.standardised(customer_features(figures.facts))
    odds = standard @ (learned.slope * learned.return_weight)
    expected = figures.churn_probability * odds + standard @ learned.value_weight
    np.testing.assert_allclose(sum(weights.values()), expected, atol=1e-9)


def test_what_makes_a_return_likelier_lowers_the_place_on_the_warning_list(models, figures):
    win_back, warning = (family_weights(figures, models, warning=asked) for asked in (False, True))

    assert set(win_back) == set(warning) == set(FAMILIES)
    assert np.corrcoef(win_back["rhythm"], warning["rhythm"])[0, 1] < 0


@pytest.mark.parametrize(("ordering", "warning"), [("btyd", False), ("btyd", True), ("past_spend", False)])
def test_where_nothing_learned_orders_the_list_no_family_moves_anybody(models, figures, ordering, warning):
    returns = None if ordering == "btyd" else models.targeting.returns
    other = replace(models, targeting=Targeting(ordering, returns, ""))

    assert family_weights(figures, other, warning=warning) == {}
