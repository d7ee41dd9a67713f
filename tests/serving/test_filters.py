"""What filters mean, against the same questions asked of pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.errors import FilterError
from recsvc.serving.filters import COMPILED, FILTER_COLUMNS, ItemFilters

AS_OF_DAY = 20_000
TABLE = {
    "item_id": ["a", "A", "007", "7", "e"],
    "title": ["Red wine", None, "Box", "Bowl", "Tray"],
    "category": ["Drinks > Wine > Red", "Wine", "Home > Winery", None, "Home > Bath"],
    "brand": ["Oak", "ÉLAN", "Élan", None, "oak tree"],
    "price": [500, 279, None, 0, 1999],
    "last_price": [450, 300, 700, 100, 2500],
    "unit_cost": [250, 279, 350, 10, None],
    "stock": [0.0, 12.0, None, 3.5, 100.0],
    "available": [True, False, None, True, True],
    "first_day": [19_990, 19_000, 19_999, 19_970, 19_500],
    "attribute_size": ["38", "XL", "038", None, "40.5"],
    "attribute_pack size": ["6", "6", "12", None, "x"],
}
CATALOGUE = pa.table(TABLE)
FILTERS = ItemFilters(CATALOGUE, AS_OF_DAY)


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("price < 5", [1, 3]),
        ("price <= 5", [0, 1, 3]),
        ("price = 2.79", [1]),
        ("price 2.79..7", [0, 1, 2]),  # without a list price, what it last sold at
        ("price in (5, 7)", [0, 2]),
        ("price != 5", [1, 2, 3, 4]),
        ("margin >= 0.5", [0, 2]),
        ("margin = 0", [1]),
        ("NOT margin >= 0.5", [1, 3, 4]),  # what is not known fulfils nothing, and NOT turns that round
        ("stock = 0 OR stock > 50", [0, 4]),
        ("available", [0, 2, 3, 4]),
        ("NOT available", [1]),
        ("days_on_sale <= 30", [0, 2, 3]),
        ('item_id = "a"', [0]),
        ("item_id in (007, 'A')", [1, 2]),
        ("item_id = 7", [3]),
        ('brand = "élan"', [1, 2]),
        ('brand != "oak"', [1, 2, 3, 4]),
        ('brand not in ("Oak", "élan")', [3, 4]),
        ('title = "red WINE"', [0]),
        ('category = "wine"', [0, 1]),
        ('category = "Drinks > Wine"', [0]),
        ('category = "Wine > Red"', [0]),
        ('category = "Home"', [2, 4]),
        ('category in ("Red", "Bath")', [0, 4]),
        ('category != "Home"', [0, 1, 3]),
        ("size = 38", [0, 2]),
        ('size = "38"', [0]),
        ('size in (40.5, "xl")', [1, 4]),
        ("size > 38", [4]),
        ("size 38..41", [0, 2, 4]),
        ("`pack size` >= 6", [0, 1, 2]),
        ("price < 5 AND NOT available OR stock = 0", [0, 1]),
        ("price < 5 AND (NOT available OR stock = 0)", [1]),
    ],
)
def test_a_filter_is_met_by(text: str, met: list[int]) -> None:
    assert np.flatnonzero(FILTERS.mask(text)).tolist() == met


items = st.fixed_dictionaries(
    {
        "last_price": st.integers(0, 3_000),
        "brand": st.sampled_from(["oak", "elm", None]),
        "available": st.sampled_from([True, False, None]),
        "stock": st.none() | st.integers(0, 5).map(float),
        "first_day": st.integers(AS_OF_DAY - 50, AS_OF_DAY - 1),
    }
)
ASKED = {
    "price < {0}.5": lambda f, a, b: f.last_price / 100 < a + 0.5,
    "price {0}..{1}": lambda f, a, b: (f.last_price / 100).between(a, b),
    "stock in ({0}, {1})": lambda f, a, b: f.stock.isin([a, b]),
    "stock != {0}": lambda f, a, b: f.stock != a,
    "brand = 'Oak'": lambda f, a, b: f.brand == "oak",
    "available": lambda f, a, b: f.available.map(lambda one: one is not False),
    "days_on_sale >= {1}": lambda f, a, b: AS_OF_DAY - f.first_day >= b,
}


@given(
    rows=st.lists(items, min_size=1, max_size=8),
    asked=st.lists(st.sampled_from(sorted(ASKED)), min_size=3, max_size=3),
    low=st.integers(0, 30),
    high=st.integers(0, 30),
)
def test_a_filter_over_any_items_is_what_pandas_says(
    rows: list[dict[str, object]], asked: list[str], low: int, high: int
) -> None:
    kinds = {"last_price": pa.int64(), "brand": pa.string(), "available": pa.bool_(), "stock": pa.float64()}
    schema = pa.schema([*kinds.items(), ("first_day", pa.int32())])
    frame = pd.DataFrame(rows).astype({"available": object, "brand": object, "stock": float})
    first, second, third = (ASKED[one](frame, low, high).to_numpy(bool) for one in asked)

    one, two, three = (text.format(low, high) for text in asked)
    found = ItemFilters(pa.Table.from_pylist(rows, schema), AS_OF_DAY).mask(f"{one} AND NOT ({two} OR {three})")

    np.testing.assert_array_equal(found, first & ~(second | third))


def test_columns_that_are_not_there_cannot_be_named_and_the_error_lists_those_that_are() -> None:
    bare = ItemFilters(CATALOGUE.select(["item_id", "last_price", "first_day"]), AS_OF_DAY)

    with pytest.raises(FilterError, match=r"columns: days_on_sale, item_id, price$"):
        bare.mask("stock > 1")
    assert set(FILTERS.columns) == {*FILTER_COLUMNS, "size", "pack size"}


def test_a_filter_is_compiled_once_and_few_are_remembered() -> None:
    filters = ItemFilters(CATALOGUE, AS_OF_DAY)

    first = filters.mask("price < 5")
    assert filters.mask("price < 5") is first
    assert not first.flags.writeable
    for price in range(COMPILED + 1):
        filters.mask(f"price < 1{price}")
    assert filters.mask.cache_info().currsize == COMPILED
