"""Every customer of a bundle as a table for people: figures rounded, layers in words, facts of those on a list."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsvc.bundle.reader import Bundle
from recsvc.domain.arrays import AnyArray
from recsvc.domain.layers import ACTIONS, LABELS
from recsvc.domain.profiles import Profiles, profiles
from recsvc.serving.live_data import LiveData
from recsvc.serving.live_records import strangers
from recsvc.serving.whys import FACTS, WhyWriter

CHUNK = 4096
WHYS = tuple(f"why_{place}" for place in range(1, FACTS + 1))
WORDS = {"layer_label": LABELS, "what_to_do": ACTIONS}
LISTS = {"win_back_rank": False, "early_warning_rank": True}  # whether it is the early warning list
FIRST = (
    "customer_id",
    "win_back_rank",
    "early_warning_rank",
    "state",
    "state_since",
    "segment",
    "layer",
    *WORDS,
    "high_value",
    "spend",
    "orders",
    "days_since_last_purchase",
)
LAST = (
    "next_state_on",
    "next_order_earliest",
    "next_order_on",
    "next_order_latest",
    "favourite_category_1",
    "favourite_category_2",
    "favourite_category_3",
    "price_level",
    "price_position",
    "best_hour",
    "best_channel",
    *WHYS,
)
SHARES = ("probability_alive", "probability_of_return", "churn_probability", "price_position")
DIGITS, MONEY_DIGITS = 4, 2


def customer_tables(bundle: Bundle, live: LiveData) -> Iterator[pa.Table]:
    """Rows of `customers.parquet` in their order, a chunk at a time, all chunks with one schema.

    Beside its columns: the layer in words, and three facts of everybody on a list. A bundle from before there were
    layers has no column of theirs. Who was erased, or wants no personalisation, has no row.
    """
    writer = WhyWriter(bundle.models, bundle.manifest.currency)
    for start in range(0, len(bundle.customer_table), CHUNK):
        chunk = _known(bundle, live, bundle.customer_table.slice(start, CHUNK))
        columns = {name: _rounded(name, chunk[name]) for name in chunk.column_names}
        if "layer" in columns:
            columns |= {name: _in_words(chunk["layer"], words) for name, words in WORDS.items()}
        columns |= _whys(bundle, writer, chunk)
        yield pa.table({name: columns[name] for name in _in_reading_order(list(columns))})


def _known(bundle: Bundle, live: LiveData, chunk: pa.Table) -> pa.Table:
    hidden = strangers(bundle, live, chunk["customer_id"].to_pylist())
    if not hidden:
        return chunk
    return chunk.filter(pc.invert(pc.is_in(chunk["customer_id"], value_set=pa.array(sorted(hidden), pa.string()))))


def _in_reading_order(names: list[str]) -> list[str]:
    """Who and what to do first, then what somebody is worth, then dates, tastes and facts."""
    between = [name for name in names if name not in FIRST and name not in LAST]
    return [*(n for n in FIRST if n in names), *between, *(n for n in LAST if n in names)]


def _rounded(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(column.type):
        return column
    return pc.round(column, DIGITS if name in SHARES or name == "expected_purchases" else MONEY_DIGITS)


def _in_words(layer: pa.ChunkedArray, words: dict[str, str]) -> pa.Array:
    return pa.array([words[name] for name in layer.to_pylist()], pa.string())


def _whys(bundle: Bundle, writer: WhyWriter, chunk: pa.Table) -> dict[str, pa.Array]:
    """Facts of the customers on a list as columns of text, null for the others."""
    texts: list[list[str | None]] = [[None] * FACTS for _ in range(len(chunk))]
    lists = {rank: chunk[rank].is_valid().to_numpy() for rank in LISTS if rank in chunk.column_names}
    listed = np.flatnonzero(np.any(list(lists.values()), axis=0))
    if len(listed):
        figures = _figures(bundle, chunk, listed)
        for rank, is_on in lists.items():
            positions = np.flatnonzero(is_on[listed])
            for position, facts in writer.whys(figures, positions, warning=LISTS[rank]):
                texts[listed[position]] = [fact.text for fact in facts]
    return {name: pa.array([row[place] for row in texts], pa.string()) for place, name in enumerate(WHYS)}


def _figures(bundle: Bundle, chunk: pa.Table, rows: AnyArray) -> Profiles:
    histories, _ = bundle.customers.get_many(chunk["customer_id"].take(pa.array(rows)).to_pylist())
    return profiles(histories, bundle.models, bundle.items.as_of_day)
