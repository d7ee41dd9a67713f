from __future__ import annotations

import pyarrow as pa

from recsvc.serving.display import item_at


def test_a_price_is_in_currency_units_the_list_price_before_the_last_one() -> None:
    catalogue = pa.table({"item_id": ["a", "b", "c"], "price": [680, None, None], "last_price": [700, 250, None]})

    assert [item_at(catalogue, row).price for row in range(3)] == [6.8, 2.5, None]
