import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.history import take
from recsvc.domain.preferences import PRICE_LEVELS, preferences, price_levels
from recsvc.domain.shelf import MIN_PRICED, Shelf, build_shelf
from recsvc.domain.standing import Standing
from tests.domain.record_strategies import histories, summary

PATHS = ("food > milk", "food > bread > rye", "drug > pharmacy", None)


def shelf(paths=PATHS, prices=(100, 200, 300, 400), buyers=(10, 10, 10, 10)):
    return build_shelf(list(paths), np.array(prices, np.int64), np.array(buyers, np.int64))


def favourites(record, on=None):
    on = on or shelf()
    found = preferences(summary({"a": record}), on)
    return [on.names[place] for place in found.categories[0, : found.n_categories[0]]]


def test_favourites_are_the_categories_bought_on_most_days_lately():
    milk_once_lately = [(100, 0, 1, 10)]
    bread_often_long_ago = [(day, 1, 1, 10) for day in range(3)]

    assert favourites(milk_once_lately + bread_often_long_ago) == ["food > bread", "food > milk"]
    assert favourites([(500, 0, 1, 10), *bread_often_long_ago]) == ["food > milk", "food > bread"]


def test_many_items_of_one_day_count_once():
    paths = ("food > milk", "food > milk", "food > milk", "food > bread")

    found = favourites(
        [(1, 0, 9, 10), (1, 1, 9, 10), (1, 2, 9, 10), (0, 3, 1, 10), (1, 3, 1, 10)], shelf(paths, buyers=(1, 1, 1, 3))
    )

    assert found == ["food > bread", "food > milk"]


def test_between_categories_bought_alike_everybodys_taste_decides():
    record = [(0, 0, 1, 10), (0, 1, 1, 10)]

    assert favourites(record, shelf(buyers=(1, 9, 0, 0)))[0] == "food > bread"
    assert favourites(record, shelf(buyers=(9, 1, 0, 0)))[0] == "food > milk"


def test_a_sensitive_category_is_nobodys_favourite():
    assert favourites([(0, 2, 1, 10), (1, 2, 1, 10), (1, 0, 1, 10)]) == ["food > milk"]
    assert favourites([(0, 2, 1, 10)]) == []


@pytest.mark.parametrize(
    "path",
    [
        "DRUG GM > PHARMACY",
        "RX",
        "DRUG GM > ADULT INCONTINENCE",
        "DRUG GM > FAMILY PLANNING",
        "MEAT > Halal",
        "a > HIV",
    ],
)
def test_words_of_health_faith_and_intimate_life_are_sensitive(path):
    assert not shelf([path, *PATHS[1:]]).is_placed[0]


@pytest.mark.parametrize("path", ["GROCERY > FLUID MILK PRODUCTS", "TOYS > MEDIEVAL KNIGHTS", "MEAT > BEEF"])
def test_ordinary_words_are_not(path):
    assert shelf([path, *PATHS[1:]]).is_placed[0]


def test_price_position_is_the_share_of_the_category_that_is_cheaper_than_what_was_paid():
    on = shelf(["food > milk"] * 5, [100, 200, 300, 400, 500], [1] * 5)
    dear, cheap, between = (
        [(day, item, 2, 2 * paid) for day in range(5)] for item, paid in ((4, 500), (0, 100), (2, 250))
    )

    found = preferences(summary({"dear": dear, "cheap": cheap, "between": between}), on)

    assert found.price_position.tolist() == pytest.approx([0.9, 0.1, 0.4])
    assert found.has_price.all()


def test_few_lines_or_few_items_with_a_price_say_nothing_of_price():
    on = shelf(["food > milk"] * 5, [100, 200, 300, 400, 500], [1] * 5)

    assert not preferences(summary({"a": [(day, 0, 1, 100) for day in range(4)]}), on).has_price[0]
    assert MIN_PRICED > 1
    assert not preferences(summary({"a": [(day, 0, 1, 100) for day in range(5)]}), shelf()).has_price[0]


def test_levels_are_thirds_of_customers_or_of_prices_where_no_standing_is_known():
    positions = np.array([0.30, 0.42, 0.60])

    alone = [PRICE_LEVELS[level] for level in price_levels(positions, Standing({}))]
    among = [
        PRICE_LEVELS[level]
        for level in price_levels(positions, Standing({"price_position": np.linspace(0.4, 0.5, 101)}))
    ]

    assert alone == ["low", "middle", "middle"]
    assert among == ["low", "low", "high"]


def test_a_shop_without_categories_has_no_favourites():
    found = preferences(summary({"a": [(0, 0, 1, 10)]}), shelf([None] * 4))

    assert (found.n_categories[0], found.has_price[0]) == (0, False)


@given(histories, st.lists(st.sampled_from(PATHS), min_size=4, max_size=4))
def test_each_customer_alone_is_told_the_same_as_in_company(records, paths):
    on: Shelf = shelf(paths)

    together = preferences(records, on)

    for position in range(len(records)):
        alone = preferences(take(records, np.array([position])), on)
        assert alone.n_categories[0] == together.n_categories[position] <= 3
        assert alone.categories[0].tolist() == together.categories[position].tolist()
        assert alone.price_position[0] == together.price_position[position]
