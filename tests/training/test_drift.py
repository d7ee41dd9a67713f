from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.drift import movements
from training.drift_statistics import MAX_CATEGORIES, OTHER, Snapshot, Volumes

CATEGORIES = {"dairy": 4000, "bakery": 3000, "garden": 2000, "toys": 1000}


def shop(seed=1, scale=1.0, n=1500, **changes):
    """What a shop of n customers looks like; another seed is another month of the same shop."""
    rng = np.random.default_rng(seed)
    features = {
        "orders": rng.geometric(0.3, n).astype(float),
        "spend": scale * rng.lognormal(3, 1, n),
        "probability_of_return": rng.beta(2, 2, n),
    }
    lines = dict(zip(CATEGORIES, rng.multinomial(10_000, [0.4, 0.3, 0.2, 0.1]).tolist(), strict=True))
    states = dict(zip(("active", "lapsed", "lost"), rng.multinomial(n, [0.5, 0.2, 0.3]).tolist(), strict=True))
    prices = {f"i{item}": (scale * 100.0 * item, 10.0) for item in range(1, 40)}
    volumes = Volumes(n, 3 * n, 10_000, 100, 5_000_000)
    return replace(Snapshot(20_000, 60, volumes, lines, states, features, prices), **changes)


def moved(before, now, missing=0.0):
    found = movements(before.statistics(), now, missing)
    return {one.what: one for one in found if one.verdict != "steady"}


def test_another_month_of_the_same_shop_has_not_moved():
    assert moved(shop(1), shop(2)) == {}


def test_a_category_that_takes_over_is_named_with_both_shares():
    other = shop(2, categories={"dairy": 1500, "bakery": 2800, "garden": 4800, "toys": 900})

    found = moved(shop(1, categories=CATEGORIES), other)

    assert list(found) == ["what is bought, by category"]
    one = found["what is bought, by category"]
    assert (one.verdict, one.measure) == ("moved a lot", "PSI")
    assert "garden: 20 % before, 48 % now" in one.words
    assert "dairy: 40 % before, 15 % now" in one.words


def test_a_category_nobody_knew_is_counted_among_the_others():
    other = shop(2, categories={**CATEGORIES, "phones": 9000})

    assert f"{OTHER}: 0 % before, 47 % now" in moved(shop(1), other)["what is bought, by category"].words


def test_rare_categories_are_remembered_together_and_do_not_look_new():
    many = {f"category {number:03}": 200 for number in range(2 * MAX_CATEGORIES)}
    before, now = shop(1, categories=many), shop(2, categories=many)

    assert len(before.statistics().categories) == MAX_CATEGORIES + 1
    assert moved(before, now) == {}


def test_dearer_products_move_prices_and_spend_but_not_what_is_bought():
    found = moved(shop(1), shop(2, scale=1.5))

    assert {"prices of the same products", "spend per customer"} <= set(found)
    assert found["prices of the same products"].value == pytest.approx(0.5)
    assert "what is bought, by category" not in found


@pytest.mark.parametrize(
    ("volumes", "what"),
    [
        (Volumes(700, 4500, 10_000, 100, 5_000_000), "customers who ordered"),
        (Volumes(1500, 4500, 10_000, 2_000, 5_000_000), "lines without a customer"),
        (Volumes(1500, 4500, 10_000, 100, 9_000_000), "sales"),
    ],
)
def test_sizes_that_change_are_named(volumes, what):
    assert list(moved(shop(1), shop(2, volumes=volumes))) == [what]


def test_a_few_customers_more_or_less_are_chance():
    few, more = Volumes(20, 60, 200, 0, 1000), Volumes(27, 80, 260, 0, 1400)

    assert moved(shop(1, volumes=few), shop(2, volumes=more, categories=shop(1).categories)) == {}


def test_ids_that_changed_are_customers_who_vanished():
    assert moved(shop(1), shop(2), missing=0.4)["customers who vanished"].verdict == "moved a lot"


def test_with_another_horizon_sizes_are_not_compared():
    found = movements(shop(1).statistics(), shop(2, horizon_days=90), 0.0)

    assert "orders" not in {one.what for one in found}
    assert "customers by state" in {one.what for one in found}
