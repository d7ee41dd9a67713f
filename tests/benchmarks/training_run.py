"""The whole of `recsvc-train fit`, back-test and publishing included, against its two unavoidable parts alone."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from tests.benchmarks.ratio import Ratio, median_seconds
from tests.checks.environments import run
from training.config import TrainingConfig, load_config
from training.synth import SynthSize, write_synth

SIZE = SynthSize(customers=10_000, items=3_000, lines=1_000_000, seed=7)
PAIRS = """
    SELECT substr(customer_id, 2)::INT AS customer, substr(item_id, 2)::INT AS item, count(DISTINCT ordered_at::DATE)
    FROM read_parquet('{orders}') GROUP BY ALL
"""


def measure() -> Iterator[Ratio]:
    """One fit from files to a published bundle, against one scan and one bare ALS fit of the same orders."""
    trainer = str(Path(sys.executable).with_name("recsvc-train"))
    with tempfile.TemporaryDirectory() as folder:
        path = write_synth(SIZE, Path(folder) / "shop")
        config = load_config(path)
        command = [trainer, "fit", str(path), "--artifacts", str(Path(folder) / "artifacts"), "--force"]
        ours = median_seconds(lambda: run(command, capture=True), runs=1)
        bare = median_seconds(lambda: _scan_and_factorise(path.parent, config), runs=1)
    yield Ratio("recsvc-train fit, whole, 1 M lines", "one DuckDB scan + bare implicit ALS", ours, bare)


def _scan_and_factorise(shop: Path, config: TrainingConfig) -> None:
    columns = duckdb.sql(PAIRS.format(orders=shop / "orders" / "*.parquet")).fetchnumpy()
    customer, item, count = columns.values()
    user_items = sp.csr_matrix((np.asarray(count, np.float32), (np.asarray(customer), np.asarray(item))))
    als = config.als
    model = AlternatingLeastSquares(
        factors=als.factors,
        regularization=als.regularization,
        alpha=als.alpha,
        iterations=als.iterations,
        random_state=als.random_state,
        num_threads=config.engine.threads,
    )
    with threadpool_limits(1, "blas"):
        model.fit(user_items, show_progress=False)
