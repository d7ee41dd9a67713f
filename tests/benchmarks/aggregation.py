"""Order lines to customer records: our whole way against the one query nobody can do without."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb

from tests.benchmarks.ratio import Ratio, median_seconds
from training.config import load_config
from training.session import open_session
from training.synth import SynthSize, write_synth
from training.tables import load_tables, prepare

SIZE = SynthSize(customers=20_000, items=5_000, lines=2_000_000, seed=7)
AS_OF_DAY = (date(2025, 12, 31) - date(1970, 1, 1)).days
SCAN = """
    SELECT customer_id, count(DISTINCT ordered_at::DATE), min(ordered_at), max(ordered_at), sum(quantity * unit_price)
    FROM read_parquet('{orders}') GROUP BY customer_id
"""


def measure() -> Iterator[Ratio]:
    """Cleaning, netting and summarising typed tables, and reading them, each against a bare RFM query."""
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(write_synth(SIZE, Path(folder)))
        query = SCAN.format(orders=Path(folder) / "orders" / "*.parquet")
        with duckdb.connect(config={"threads": config.engine.threads}) as bare:
            scan = median_seconds(lambda: bare.execute(query).fetchall())
        with open_session(config) as session:
            tables = load_tables(session, config)
            clean = median_seconds(lambda: prepare(tables, AS_OF_DAY), runs=1)
            yield Ratio("clean, net and summarise, 2 M lines", "bare DuckDB RFM query", clean, scan)
        with open_session(config) as session:
            read = median_seconds(lambda: load_tables(session, config), runs=1)
            yield Ratio("read and type, 2 M lines", "bare DuckDB RFM query", read, scan)
