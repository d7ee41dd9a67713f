"""What a slate promises, whatever is asked: properties on a bundle the real pipeline trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.errors import UnknownCustomer, UnknownItem
from recsvc.serving import scoring
from recsvc.serving.candidates import build_sources
from recsvc.serving.masks import CATEGORY_SEPARATOR
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query, Slate
from tests.trained import NOW

quick = settings(max_examples=40, deadline=None)
anybody = st.one_of(st.integers(0, 499), st.none())  # a place in the customer table, or a stranger


def ask(recommender: Recommender, everybody: list[str], who: int | None, **rules: object) -> Slate:
    query = Query("a stranger" if who is None else everybody[who % len(everybody)])
    return recommender.recommend(replace(query, **rules), now=NOW)  # type: ignore[arg-type]


def items_of(slate: Slate) -> list[str]:
    return [one.item_id for one in slate.items]


def bought_by(recommender: Recommender, customer_id: str) -> set[str]:
    history = recommender.bundle.customers.get(customer_id)
    return {recommender.bundle.items.ids.id(row) for row in history.line_item} if history else set()


def catalogue(recommender: Recommender) -> list[str]:
    return [recommender.bundle.items.ids.id(row) for row in range(recommender.bundle.items.n_catalogue)]


@quick
@given(who=anybody, excluded=st.sets(st.integers(0, 70)), slots=st.integers(0, 200))
def test_a_list_longer_than_the_catalogue_is_the_catalogue_without_what_was_excluded(
    recommender: Recommender, everybody: list[str], who: int | None, excluded: set[int], slots: int
) -> None:
    everything = catalogue(recommender)
    exclude = frozenset(everything[place % len(everything)] for place in excluded)

    slate = ask(recommender, everybody, who, k=200, exclude=exclude | {"no such item"}, explore_slots=slots)

    assert sorted(items_of(slate)) == sorted(set(everything) - exclude)
    assert [one.rank for one in slate.items] == list(range(1, len(slate.items) + 1))
    assert slate.filters_applied == (("exclude",) if exclude else ())


@quick
@given(who=anybody, k=st.integers(1, 30))
def test_without_kept_places_a_slate_falls_in_score_and_ties_stand_in_order_of_id(
    recommender: Recommender, everybody: list[str], who: int | None, k: int
) -> None:
    slate = ask(recommender, everybody, who, k=k, explore_slots=0)

    keys = [(-one.score, one.item_id) for one in slate.items]
    assert keys == sorted(keys)
    assert len(slate.items) == k


@quick
@given(who=st.integers(0, 499), k=st.integers(1, 90))
def test_what_was_bought_is_left_out_when_asked_for(
    recommender: Recommender, everybody: list[str], who: int, k: int
) -> None:
    slate = ask(recommender, everybody, who, k=k, exclude_purchased=True)

    bought = bought_by(recommender, slate.query.customer_id)
    assert not bought & set(items_of(slate))
    assert len(slate.items) == min(k, len(set(catalogue(recommender)) - bought))
    assert slate.filters_applied == ("exclude_purchased",)


@quick
@given(who=anybody, slots=st.integers(0, 10))
def test_the_last_places_are_kept_for_products_never_bought(
    recommender: Recommender, everybody: list[str], who: int | None, slots: int
) -> None:
    slate = ask(recommender, everybody, who, k=10, explore_slots=slots)
    plain = ask(recommender, everybody, who, k=10, explore_slots=0)

    bought = bought_by(recommender, slate.query.customer_id)
    kept = items_of(slate)[10 - slots :]
    if len(set(catalogue(recommender)) - bought - set(items_of(plain)[: 10 - slots])) >= slots:
        assert not bought & set(kept)
    assert items_of(slate)[: 10 - slots] == items_of(plain)[: 10 - slots]


@pytest.mark.parametrize("depth", [1, 2])
def test_a_category_holds_what_lies_in_it_or_below(recommender: Recommender, everybody: list[str], depth: int) -> None:
    path = str(recommender.item(catalogue(recommender)[0]).category).split(CATEGORY_SEPARATOR)[:depth]
    category = CATEGORY_SEPARATOR.join(path)

    slate = ask(recommender, everybody, 0, k=100, categories=(category,))

    inside = [i for i in catalogue(recommender) if str(recommender.item(i).category).startswith(category)]
    assert sorted(items_of(slate)) == sorted(inside)
    assert slate.filters_applied == ("category",)


def test_no_such_category_is_an_empty_list(recommender: Recommender, everybody: list[str]) -> None:
    part_of_a_name = str(recommender.item(catalogue(recommender)[0]).category)[:-1]

    for category in ("no such", part_of_a_name, ""):
        assert ask(recommender, everybody, 0, categories=(category,)).items == ()


def test_a_stranger_gets_what_is_popular_and_is_told_so(recommender: Recommender, everybody: list[str]) -> None:
    slate = ask(recommender, everybody, None, k=5)

    trending = recommender.bundle.items.trending()[:5]
    assert (slate.strategy, slate.customer) == ("popular", None)
    assert set(items_of(slate)) == {recommender.bundle.items.ids.id(row) for row in trending}
    assert ask(recommender, everybody, 3).strategy == "personal"


def test_slates_do_not_depend_on_the_order_of_the_sources(
    recommender: Recommender, everybody: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [Query(customer, k=k) for customer in [*everybody[::25], "a stranger"] for k in (5, 10)]
    before = recommender.recommend_many(asked, now=NOW)

    monkeypatch.setattr(scoring, "build_sources", lambda *some: lambda k: build_sources(*some)(k)[::-1])

    assert Recommender(recommender.bundle).recommend_many(asked, now=NOW) == before


def test_the_ranking_stands_still_while_the_state_moves_with_now(
    recommender: Recommender, everybody: list[str]
) -> None:
    active = next(one for one in everybody if recommender.customer(one, now=NOW).state == "active")
    later = NOW.replace(year=NOW.year + 3)

    today = recommender.recommend(Query(active), now=NOW)
    in_years = recommender.recommend(Query(active), now=later)

    assert today.items == in_years.items
    assert today.customer is not None
    assert in_years.customer is not None
    assert (today.customer.state, in_years.customer.state) == ("active", "lost")


def test_the_win_back_list_is_read_page_by_page_without_gap_or_repetition(recommender: Recommender) -> None:
    table = recommender.bundle.customer_table
    listed = table.filter(table["win_back_rank"].is_valid())["customer_id"].to_pylist()

    pages, rank = [], 0
    while page := recommender.win_back(after_rank=rank, limit=7, states=frozenset(), now=NOW):
        pages += page
        rank = int(page[-1].customer.win_back_rank or 0)

    assert [row.customer_id for row in pages] == listed
    assert [row.customer.win_back_rank for row in pages] == list(range(1, len(listed) + 1))
    worth = [row.customer.expected_value_of_contact for row in pages]
    assert worth == sorted(worth, reverse=True)
    lost = recommender.win_back(after_rank=0, limit=500, states=frozenset({"lost"}), now=NOW)
    assert [row for row in pages if row.customer.state == "lost"] == list(lost)
    assert 0 < len(lost) < len(pages)


def test_the_figures_of_the_list_are_those_of_the_customer_at_as_of(recommender: Recommender) -> None:
    for row in recommender.win_back(after_rank=0, limit=50, states=frozenset(), now=NOW):
        assert row.customer == recommender.customer(row.customer_id, now=recommender.as_of)


def test_items_alike_come_best_first_without_the_item_itself(recommender: Recommender) -> None:
    factors = np.asarray(recommender.bundle.factors, np.float64)
    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)

    for row, item_id in enumerate(catalogue(recommender)):
        similar = recommender.similar(item_id, 8)

        cosines = np.delete(unit @ unit[row], row)
        assert item_id not in {one.item_id for one in similar}
        assert [one.rank for one in similar] == list(range(1, 9))
        np.testing.assert_allclose([one.affinity for one in similar], np.sort(cosines)[::-1][:8], atol=1e-5)


def test_what_is_not_there_is_an_error_that_names_it(recommender: Recommender) -> None:
    with pytest.raises(UnknownCustomer):
        recommender.customer("nobody", now=NOW)
    with pytest.raises(UnknownItem, match="no-such"):
        recommender.similar("no-such", 3)
    with pytest.raises(UnknownItem):
        recommender.item("no-such")
