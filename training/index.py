"""The FAISS index of item factors: exact inner product."""

from __future__ import annotations

from pathlib import Path

import faiss

from recsvc.domain.arrays import Factors


def write_index(factors: Factors, path: Path) -> None:
    """Build a flat index whose positions are item rows, and write it."""
    index = faiss.IndexFlatIP(factors.shape[1])
    index.add(factors)
    faiss.write_index(index, str(path))
