"""Rules end to end: what a slate promises when a request, or the bundle, asks for something."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsvc.bundle.reader import RULES, SLATES
from recsvc.domain.business_rules import StandingRules
from recsvc.errors import FilterError
from recsvc.serving.recommender import Recommender
from recsvc.serving.rules import Rules
from recsvc.serving.slate import Query, Slate
from tests.trained import NOW, Trained, reopened

quick = settings(max_examples=30, deadline=None)
somebody = st.integers(0, 499)


def ask(recommender: Recommender, customer_id: str, **wishes: object) -> Slate:
    return recommender.recommend(replace(Query(customer_id), **wishes), now=NOW)  # type: ignore[arg-type]


def items_of(slate: Slate) -> list[str]:
    return [one.item_id for one in slate.items]


def price_of(recommender: Recommender, item_id: str) -> float:
    price = recommender.item(item_id).price
    assert price is not None
    return price


def under(trained: Trained, folder: Path, standing: StandingRules) -> Recommender:
    """The bundle with other rules for every slate."""
    shutil.copytree(trained.artifacts / trained.bundle_id, folder)
    (folder / RULES).write_bytes(orjson.dumps(standing.to_json()))
    return Recommender(reopened(trained, folder, SLATES))  # slates are ranked under the rules they are stored with


@quick
@given(who=somebody, price=st.integers(1, 12), k=st.integers(1, 60))
def test_only_what_fulfils_the_filter_is_shown_and_as_much_as_there_is(
    recommender: Recommender, everybody: list[str], who: int, price: int, k: int
) -> None:
    slate = ask(recommender, everybody[who], k=k, where=f"price < {price}")

    catalogue = [recommender.bundle.items.ids.id(row) for row in range(recommender.bundle.items.n_catalogue)]
    cheap = {one for one in catalogue if price_of(recommender, one) < price}
    assert set(items_of(slate)) <= cheap
    assert len(slate.items) == min(k, len(cheap))
    assert slate.filters_applied == (f"where price < {price}",)


def test_a_block_is_the_filter_turned_round(recommender: Recommender, everybody: list[str]) -> None:
    for customer in everybody[::50]:
        blocked = ask(recommender, customer, rules=('block where category = "Kitchen"',))
        filtered = ask(recommender, customer, where='category != "Kitchen"')

        assert blocked.items == filtered.items
        assert blocked.filters_applied == ('block where category = "Kitchen"',)


@quick
@given(who=somebody, row=st.integers(0, 70), place=st.integers(1, 10))
def test_a_pinned_item_stands_at_its_place_and_the_rest_is_as_it_was(
    recommender: Recommender, everybody: list[str], who: int, row: int, place: int
) -> None:
    item_id = recommender.bundle.items.ids.id(row)
    rule = f'pin {place} where item_id = "{item_id}"'

    slate = ask(recommender, everybody[who], explore_slots=0, rules=(rule,))

    plain = ask(recommender, everybody[who], explore_slots=0)
    others = [one for one in items_of(plain) if one != item_id][:9]
    assert items_of(slate) == [*others[: place - 1], item_id, *others[place - 1 :]]
    assert slate.filters_applied == (() if items_of(slate) == items_of(plain) else (rule,))


def test_what_may_not_be_shown_cannot_be_pinned(recommender: Recommender, everybody: list[str]) -> None:
    first = items_of(ask(recommender, everybody[0]))[0]
    pin = f'pin 1 where item_id = "{first}"'

    for wishes in ({"exclude": frozenset({first})}, {"where": f'item_id != "{first}"'}):
        assert first not in items_of(ask(recommender, everybody[0], rules=(pin,), **wishes))


@quick
@given(who=somebody, action=st.sampled_from(["boost", "bury"]), factor=st.integers(2, 900))
def test_a_boost_never_lowers_and_a_bury_never_raises_what_it_speaks_of(
    recommender: Recommender, everybody: list[str], who: int, action: str, factor: int
) -> None:
    plain = items_of(ask(recommender, everybody[who], k=100, explore_slots=0))
    item_id = plain[len(plain) // 2]

    rule = f'{action} {factor} where item_id = "{item_id}"'
    moved = ask(recommender, everybody[who], k=100, explore_slots=0, rules=(rule,))

    after = items_of(moved)
    assert sorted(after) == sorted(plain)
    assert [one for one in after if one != item_id] == [one for one in plain if one != item_id]
    up = plain.index(item_id) - after.index(item_id)
    assert up >= 0 if action == "boost" else up <= 0
    assert [-one.score for one in moved.items] == sorted(-one.score for one in moved.items)


@quick
@given(who=somebody, cap=st.integers(1, 4), slots=st.integers(0, 10))
def test_no_category_has_more_items_than_the_cap(
    recommender: Recommender, everybody: list[str], who: int, cap: int, slots: int
) -> None:
    slate = ask(recommender, everybody[who], category_cap=cap, explore_slots=slots)

    counts = Counter(recommender.item(one).category for one in items_of(slate))
    assert max(counts.values()) <= cap
    assert len(slate.items) <= 10


def test_sends_rotate_and_the_same_memory_gives_the_same_slate(recommender: Recommender, everybody: list[str]) -> None:
    for customer in everybody[::25]:
        first = items_of(ask(recommender, customer, explore_slots=0))
        second = ask(recommender, customer, explore_slots=0, shown=tuple(first * 4))

        assert set(items_of(second)) != set(first)
        assert second == ask(recommender, customer, explore_slots=0, shown=tuple(first * 4))
        assert second.filters_applied[-1].startswith("shown before: ")


def test_what_was_bought_since_it_was_shown_does_not_step_back(recommender: Recommender, everybody: list[str]) -> None:
    plain = ask(recommender, everybody[0])
    history = recommender.bundle.customers.get(everybody[0])
    assert history is not None
    ids = recommender.bundle.items.ids
    shown = tuple({ids.id(row) for row in history.line_item[history.line_item >= 0]} & {*items_of(plain)})
    ordered_at = recommender.as_of - timedelta(days=recommender.bundle.items.as_of_day - int(history.line_day.min()))

    all_bought_since = ask(recommender, everybody[0], shown=shown, shown_since=ordered_at.date())
    none_bought_since = ask(recommender, everybody[0], shown=shown, shown_since=NOW.date())

    assert all_bought_since.items == plain.items
    assert none_bought_since.items == ask(recommender, everybody[0], shown=shown).items
    assert none_bought_since.items != plain.items


def test_rules_of_the_bundle_hold_for_every_slate_live_in_bulk_and_in_a_back_test(
    trained: Trained, recommender: Recommender, everybody: list[str], tmp_path: Path
) -> None:
    pin, block = "pin 2 where price < 3", 'block where category = "Kitchen"'
    ruled = under(trained, tmp_path / "ruled", StandingRules((block, pin), category_cap=3))
    some = everybody[::20]

    live = [ask(ruled, one) for one in some]
    asked = [ask(recommender, one, rules=(block, pin)) for one in some]
    histories, _ = ruled.bundle.customers.get_many(some)

    ids = ruled.bundle.items.ids
    assert ruled.recommend_many([Query(one) for one in some], now=NOW) == live
    assert [[ids.id(row) for row in rows] for rows in ruled.rank(histories, Rules())] == [items_of(s) for s in live]
    for slate, free in zip(live, asked, strict=True):
        paths = [str(ruled.item(one).category).split(" > ") for one in items_of(slate)]
        assert "Kitchen" not in [path[0] for path in paths]
        assert max(Counter(tuple(path[:2]) for path in paths).values()) <= 3
        assert price_of(ruled, items_of(slate)[1]) < 3
        assert items_of(slate)[:2] == items_of(free)[:2]
        assert slate.filters_applied[0] == block


def test_the_bare_ranking_knows_no_rules_of_the_bundle(
    trained: Trained, recommender: Recommender, everybody: list[str], tmp_path: Path
) -> None:
    ruled = under(trained, tmp_path / "ruled", StandingRules(("block where price > 3",)))
    histories, _ = ruled.bundle.customers.get_many(everybody[:50])

    bare = ruled.rank(histories, Rules(standing=False))

    for ours, theirs in zip(bare, recommender.rank(histories, Rules()), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_request_lifts_the_cap_of_the_bundle_by_a_wider_one(
    trained: Trained, recommender: Recommender, everybody: list[str], tmp_path: Path
) -> None:
    ruled = under(trained, tmp_path / "ruled", StandingRules(category_cap=1))

    assert len(ask(ruled, everybody[0]).items) < 10
    assert ask(ruled, everybody[0], category_cap=100).items == ask(recommender, everybody[0]).items


@quick
@given(
    who=st.lists(somebody, min_size=1, max_size=4),
    wishes=st.fixed_dictionaries(
        {},
        optional={
            "where": st.sampled_from(["price < 9", 'brand != "Alder"', "days_on_sale > 90"]),
            "rules": st.lists(
                st.sampled_from(["pin 1 where price < 3", "boost 5 where price > 6", "bury 9 where price 3..6"])
            ).map(tuple),
            "category_cap": st.integers(1, 3),
            "exclude_purchased": st.booleans(),
            "k": st.integers(1, 40),
        },
    ),
)
def test_a_question_with_rules_is_answered_in_company_as_alone(
    recommender: Recommender, everybody: list[str], who: list[int], wishes: dict[str, object]
) -> None:
    first = items_of(ask(recommender, everybody[0]))
    asked = [
        replace(Query(everybody[one]), shown=tuple(first[:place]), **wishes)  # type: ignore[arg-type]
        for place, one in enumerate(who)
    ]

    together = recommender.recommend_many(asked, now=NOW)

    assert together == [recommender.recommend(one, now=NOW) for one in asked]


def test_a_filter_that_cannot_be_read_is_an_error_whoever_asks(recommender: Recommender, everybody: list[str]) -> None:
    for wishes in ({"where": "colour = 1"}, {"rules": ("boost 2 where colour = 1",)}):
        with pytest.raises(FilterError, match="columns: brand, category, days_on_sale, item_id, price, title"):
            ask(recommender, everybody[0], **wishes)
