from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from recsvc.serving.rules import Rules, allowed_items, in_categories
from tests.domain.catalogues import item_table

ITEMS = item_table(["a", "b", "c", "d", "old"], 4)
CATALOGUE = pa.table(
    {
        "item_id": ["a", "b", "c", "d", "old"],
        "category": ["Home > Bath", "Home", "Home > Bathroom", None, "Home > Bath"],
        "available": [True, False, None, True, True],
    }
)
PLAIN = CATALOGUE.select(["item_id"])


def test_unavailable_items_are_never_shown_and_unknown_counts_as_available() -> None:
    allowed, applied = allowed_items(CATALOGUE, ITEMS, Rules())

    assert allowed.tolist() == [True, False, True, True]
    assert applied == ("availability",)


def test_no_word_about_availability_is_no_filter() -> None:
    assert allowed_items(PLAIN, ITEMS, Rules())[1] == ()
    on_sale = CATALOGUE.set_column(2, "available", pa.array([True, None, True, True, False]))
    assert allowed_items(on_sale, ITEMS, Rules())[1] == ()


def test_excluding_items_outside_the_catalogue_or_unknown_takes_nothing_away() -> None:
    allowed, _ = allowed_items(PLAIN, ITEMS, Rules(exclude=frozenset({"b", "old", "no such"})))

    assert allowed.tolist() == [True, False, True, True]
    assert allowed_items(PLAIN, ITEMS, Rules(exclude=frozenset({"no such"})))[1] == ()


def test_a_category_is_itself_and_what_lies_below_but_not_what_begins_alike() -> None:
    assert in_categories(CATALOGUE, ("Home > Bath",)).tolist() == [True, False, False, False, True]
    assert in_categories(CATALOGUE, ("Home",)).tolist() == [True, True, True, False, True]
    assert in_categories(CATALOGUE, ("Home > Bath", "Home > Bathroom")).tolist() == [True, False, True, False, True]
    assert in_categories(PLAIN, ("Home",)).tolist() == [False] * 5


def test_rules_add_up() -> None:
    rules = Rules(exclude=frozenset({"a"}), categories=("Home",), exclude_purchased=True)

    allowed, applied = allowed_items(CATALOGUE, ITEMS, rules)

    assert allowed.tolist() == [False, False, True, False]
    assert applied == ("availability", "exclude", "category", "exclude_purchased")
    assert allowed_items(CATALOGUE, ITEMS, replace(rules, categories=("No",)))[0].tolist() == [False] * 4


def test_what_came_back_on_sale_may_be_shown_whatever_the_catalogue_says() -> None:
    on_sale = np.array([False, True, False, False, False])

    allowed, applied = allowed_items(CATALOGUE, ITEMS, Rules(), on_sale)

    assert allowed.tolist() == [True, True, True, True]
    assert applied == ()
