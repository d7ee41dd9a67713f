"""One contract for every source, and what each of them is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from recsvc.bundle.reader import INDEX
from recsvc.domain.history import concatenate, no_history
from recsvc.domain.items import ItemTable
from recsvc.domain.pairs import CustomerBatch, last_orders
from recsvc.serving.candidates import (
    SEEDS,
    CandidateSource,
    Comebacks,
    GoesWith,
    OwnHistory,
    Taste,
    Trending,
    build_sources,
    liked_lately,
    propose,
)
from recsvc.serving.category_sources import MIN_FALL, UpSell, new_arrivals, price_drops, promotions
from recsvc.serving.recommender import Recommender
from recsvc.serving.retrieval import ItemIndex

DEPTH = 6


def sources_of(recommender: Recommender) -> dict[str, CandidateSource]:
    bundle = recommender.bundle
    index = ItemIndex(bundle.folder / INDEX, bundle.factors)
    return {
        "own_history": OwnHistory(depth=DEPTH),
        "taste": Taste(index, depth=DEPTH),
        "trending": Trending(bundle.items.trending(), depth=DEPTH),
        "bought_together": GoesWith("bought_together", bundle.shop.bought_together.matrix(), liked_lately, DEPTH),
        "liked_together": GoesWith("liked_together", bundle.shop.liked_together.matrix(), liked_lately, DEPTH),
        "like_last_order": GoesWith("like_last_order", bundle.shop.liked_together.matrix(), last_orders, DEPTH),
        "up_sell": UpSell(eventful(bundle.items), bundle.items.trending(), depth=DEPTH),
        "new_arrivals": new_arrivals(eventful(bundle.items), bundle.items.trending(), depth=DEPTH),
        "price_drops": price_drops(eventful(bundle.items), bundle.items.trending(), depth=DEPTH),
        "promotions": promotions(eventful(bundle.items), bundle.items.trending(), depth=DEPTH),
        "comebacks": Comebacks(bundle.items.comebacks(), depth=DEPTH),
    }


def eventful(items: ItemTable) -> ItemTable:
    """The same items: every third first sold forty days ago, every second cheaper lately, every fifth on promotion."""
    first_day, lately, ends = items.first_day.copy(), items.price_before.copy(), np.zeros(len(items), np.int32)
    first_day[::3] = items.as_of_day - 40
    lately[::2] = (lately[::2] * 0.8).astype(lately.dtype)
    ends[::5] = items.as_of_day + 3
    return replace(items, first_day=first_day, price_lately=lately, promotion_ends_day=ends)


NAMES = (
    *("own_history", "taste", "trending", "bought_together", "liked_together", "like_last_order"),
    *("up_sell", "new_arrivals", "price_drops", "promotions", "comebacks"),
)


@pytest.fixture(params=NAMES)
def source(request: pytest.FixtureRequest, recommender: Recommender) -> CandidateSource:
    return sources_of(recommender)[request.param]


@pytest.fixture(scope="module")
def batch(recommender: Recommender, everybody: list[str]) -> CustomerBatch:
    known, _ = recommender.bundle.customers.get_many(everybody[:30])
    return recommender.scorer.batch(concatenate([known, no_history("a stranger")]))


@pytest.fixture(params=["all", "some", "none"])
def allowed(request: pytest.FixtureRequest, recommender: Recommender) -> np.ndarray:
    n_catalogue = recommender.bundle.items.n_catalogue
    masks: dict[str, Callable[[], np.ndarray]] = {
        "all": lambda: np.ones(n_catalogue, bool),
        "some": lambda: np.random.default_rng(3).random(n_catalogue) < 0.3,
        "none": lambda: np.zeros(n_catalogue, bool),
    }
    return masks[request.param]()


def test_a_source_proposes_allowed_items_once_and_no_more_than_its_depth(
    source: CandidateSource, batch: CustomerBatch, allowed: np.ndarray
) -> None:
    before = allowed.copy()

    pairs = source.candidates(batch, allowed)

    assert len(pairs.customer) == len(pairs.item)
    assert len(set(zip(pairs.customer.tolist(), pairs.item.tolist(), strict=True))) == len(pairs)
    assert allowed[pairs.item].all()
    assert (np.bincount(pairs.customer, minlength=1) <= DEPTH).all()
    np.testing.assert_array_equal(allowed, before)


def test_the_contract_is_run_on_every_source(recommender: Recommender) -> None:
    index = ItemIndex(recommender.bundle.folder / INDEX, recommender.bundle.factors)

    served = build_sources(recommender.bundle.shop, index)(10)

    assert tuple(source.name for source in served) == tuple(sources_of(recommender)) == NAMES
    assert [source.name for source in sources_of(recommender).values()] == list(NAMES)


@pytest.mark.parametrize("name", ["bought_together", "liked_together"])
def test_companions_are_the_strongest_neighbours_of_what_was_bought(
    name: str, recommender: Recommender, batch: CustomerBatch
) -> None:
    own, neighbours = batch.own, getattr(recommender.bundle.shop, name)
    n_catalogue = recommender.bundle.items.n_catalogue

    pairs = sources_of(recommender)[name].candidates(batch, np.ones(n_catalogue, bool))

    for customer in range(len(batch.histories)):
        strength = np.zeros(n_catalogue)
        entries = range(own.offsets[customer], own.offsets[customer + 1])
        heaviest = sorted(entries, key=lambda n: -own.decayed_order_days[n])
        for entry in [n for n in heaviest if own.item[n] < n_catalogue][:SEEDS]:
            near = slice(*neighbours.offsets[own.item[entry] : own.item[entry] + 2])
            strength[neighbours.item[near]] += np.sqrt(own.decayed_order_days[entry]) * neighbours.weight[near]
        strength[[own.item[n] for n in entries if own.item[n] < n_catalogue]] = 0
        found = pairs.item[pairs.customer == customer]
        assert len(found) == min(DEPTH, np.count_nonzero(strength))
        np.testing.assert_allclose(np.sort(strength[found]), np.sort(strength)[len(strength) - len(found) :], rtol=1e-6)


def test_what_is_like_the_last_order_is_near_one_of_its_items(recommender: Recommender, batch: CustomerBatch) -> None:
    near = recommender.bundle.shop.liked_together.matrix()
    n_catalogue = recommender.bundle.items.n_catalogue

    pairs = sources_of(recommender)["like_last_order"].candidates(batch, np.ones(n_catalogue, bool))

    last, histories = batch.last_order_day(), batch.histories
    assert len(pairs)
    for customer, item in zip(pairs.customer, pairs.item, strict=True):
        mine = slice(*histories.line_offsets[customer : customer + 2])
        lines = histories.line_item[mine][histories.line_day[mine] == last[customer]]
        assert near[lines[lines < n_catalogue], item].sum() > 0


def categories_of(batch: CustomerBatch, customer: int, items: ItemTable) -> set[int]:
    own = batch.own.item[batch.own.offsets[customer] : batch.own.offsets[customer + 1]]
    return set(items.second_category[own].tolist())


def new_to(items: ItemTable, row: int, last_order: float) -> bool:
    return bool(items.first_day[row] > last_order)


def cheaper_since(items: ItemTable, row: int, last_order: float) -> bool:
    fell = items.price_lately[row] <= (1 - MIN_FALL) * items.price_before[row]
    return bool(fell and last_order < items.as_of_day - items.recent_days)


def promoted(items: ItemTable, row: int, last_order: float) -> bool:
    return row % 5 == 0


@pytest.mark.parametrize(
    ("name", "is_wanted"), [("new_arrivals", new_to), ("price_drops", cheaper_since), ("promotions", promoted)]
)
def test_occasions_are_the_most_popular_of_the_categories_a_customer_buys_from(
    name: str, is_wanted: Callable[[ItemTable, int, float], bool], recommender: Recommender, batch: CustomerBatch
) -> None:
    items = eventful(recommender.bundle.items)

    pairs = sources_of(recommender)[name].candidates(batch, np.ones(items.n_catalogue, bool))

    assert len(pairs)
    for customer, last in enumerate(batch.last_order_day()):
        theirs = categories_of(batch, customer, items)
        rows = [row for row in items.trending() if items.second_category[row] in theirs]
        expected = [row for row in rows if is_wanted(items, row, last)][:DEPTH]
        assert pairs.item[pairs.customer == customer].tolist() == expected
    assert len(batch.histories) - 1 not in pairs.customer


def test_a_step_up_is_new_dearer_than_usual_and_within_the_range_paid(
    recommender: Recommender, batch: CustomerBatch
) -> None:
    items, own = recommender.bundle.items, batch.own

    pairs = sources_of(recommender)["up_sell"].candidates(batch, np.ones(items.n_catalogue, bool))

    assert len(pairs)
    for customer, row in zip(pairs.customer, pairs.item, strict=True):
        bought = own.item[own.offsets[customer] : own.offsets[customer + 1]]
        paid = items.last_price[bought[items.second_category[bought] == items.second_category[row]]]
        assert row not in bought
        assert np.exp(np.log(paid).mean()) < items.last_price[row] <= 1.3 * paid.max()


def test_comebacks_ended_lapses_more_often_than_chance(recommender: Recommender) -> None:
    items = recommender.bundle.items

    ranked = items.comebacks()

    weight = items.n_comeback_buyers * np.exp(items.comeback_lift)
    assert len(ranked)
    assert (items.comeback_lift[ranked] > 0).all()
    assert (np.diff(np.round(weight[ranked], 9)) <= 0).all()


def test_own_history_is_what_was_bought_most_often_then_most_lately(
    recommender: Recommender, batch: CustomerBatch
) -> None:
    n_catalogue, own = recommender.bundle.items.n_catalogue, batch.own

    pairs = OwnHistory(depth=DEPTH).candidates(batch, np.ones(n_catalogue, bool))

    for customer in range(len(batch.histories)):
        mine = range(own.offsets[customer], own.offsets[customer + 1])
        ranked = sorted(mine, key=lambda n: (-own.order_days[n], -own.decayed_order_days[n]))
        expected = [int(own.item[n]) for n in ranked if own.item[n] < n_catalogue][:DEPTH]
        assert pairs.item[pairs.customer == customer].tolist() == expected


def test_taste_is_the_nearest_of_what_was_never_bought(recommender: Recommender, batch: CustomerBatch) -> None:
    factors, own = recommender.bundle.factors, batch.own

    pairs = sources_of(recommender)["taste"].candidates(batch, np.ones(len(factors), bool))

    affinity = batch.vectors @ factors.T
    for customer in range(len(batch.histories) - 1):
        bought = own.item[own.offsets[customer] : own.offsets[customer + 1]]
        unseen = np.setdiff1d(np.arange(len(factors)), bought)
        best = unseen[np.argsort(-affinity[customer, unseen], kind="stable")][:DEPTH]
        assert set(pairs.item[pairs.customer == customer].tolist()) == set(best.tolist())
    assert len(batch.histories) - 1 not in pairs.customer


def test_trending_is_the_same_for_everybody(recommender: Recommender, batch: CustomerBatch) -> None:
    items = recommender.bundle.items

    pairs = sources_of(recommender)["trending"].candidates(batch, np.ones(items.n_catalogue, bool))

    expected = items.trending()[:DEPTH].tolist()
    lists = [pairs.item[pairs.customer == customer].tolist() for customer in range(len(batch.histories))]
    assert lists == [expected] * len(batch.histories)
    recent = items.n_recent_buyers[items.trending()]
    assert (np.diff(recent) <= 0).all()


def test_all_sources_together_propose_each_pair_once_in_order(
    recommender: Recommender, batch: CustomerBatch, allowed: np.ndarray
) -> None:
    sources = tuple(sources_of(recommender).values())

    proposals = propose(sources, batch, allowed, with_bought=True)
    pairs, new = proposals.pairs, propose(sources, batch, allowed, with_bought=False).pairs

    keys = pairs.customer * len(allowed) + pairs.item
    assert (np.diff(keys) > 0).all()
    single = [source.candidates(batch, allowed) for source in sources]
    assert set(keys) == {key for some in single for key in (some.customer * len(allowed) + some.item).tolist()}
    for column, some in enumerate(single):
        assert set(keys[proposals.by[:, column]]) == set(some.customer * len(allowed) + some.item)
    assert proposals.names == NAMES
    bought = batch.own.customer * len(allowed) + batch.own.item
    inside = batch.own.item < len(allowed)
    assert set(new.customer * len(allowed) + new.item) == set(keys) - set(bought[inside])
