"""The CDNOW data as published with the `lifetimes` distribution; its code is never imported."""

from __future__ import annotations

import importlib.metadata

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Columns = tuple[NDArray[np.float64], ...]


def transactions() -> Columns:
    """Frequency, recency and T of the 2,357 customers of the 1/10 sample, in weeks, at week 39."""
    return _columns("cdnow_customers_summary.csv", ("frequency", "recency", "T"))


def amounts() -> Columns:
    """Frequency and mean repeat amount of the same customers, in dollars."""
    return _columns("cdnow_customers_summary_with_transactions.csv", ("x", "zbar"))


def _columns(name: str, columns: tuple[str, ...]) -> Columns:
    files = importlib.metadata.files("lifetimes") or []
    (path,) = (file.locate() for file in files if file.name == name)
    table = pd.read_csv(str(path))
    return tuple(table[column].to_numpy(np.float64) for column in columns)
