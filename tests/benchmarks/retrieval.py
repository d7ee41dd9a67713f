"""Items nearest to a taste vector, against FAISS's own exact search on the same factors."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import faiss
import numpy as np

from recsvc.serving.retrieval import ItemIndex
from tests.benchmarks.ratio import Ratio, median_seconds

N_ITEMS, N_FACTORS, N_QUERIES, K = 20_000, 64, 300, 100


def measure() -> Iterator[Ratio]:
    """One query at a time, one thread, best 100 of 20,000 items, a tenth of them not allowed."""
    rng = np.random.default_rng(7)
    drawn = rng.standard_normal((N_ITEMS, N_FACTORS)) * rng.gamma(2, 0.2, (N_ITEMS, 1))
    factors = np.ascontiguousarray(drawn, np.float32)
    queries = rng.standard_normal((N_QUERIES, N_FACTORS)).astype(np.float32)
    allowed = rng.random(N_ITEMS) > 0.1
    flat = faiss.IndexFlatIP(N_FACTORS)
    flat.add(factors)
    with tempfile.TemporaryDirectory() as folder:
        faiss.write_index(flat, str(Path(folder) / "items.faiss"))
        ours = ItemIndex(Path(folder) / "items.faiss", factors)
        seconds = median_seconds(lambda: [ours.nearest(query, K, allowed) for query in queries])
        bare = median_seconds(lambda: [flat.search(query[None, :], K) for query in queries])
    yield Ratio(f"live retrieval with exclusions, {N_ITEMS:,} items", "FAISS FlatIP, none excluded", seconds, bare)
