"""The CDNOW data as published with the `lifetimes` distribution; its code is never imported."""

from __future__ import annotations

import importlib.metadata

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recsvc.domain.history import Histories, Lines, build_histories

Columns = tuple[NDArray[np.float64], ...]


def transactions() -> Columns:
    """Frequency, recency and T of the 2,357 customers of the 1/10 sample, in weeks, at week 39."""
    return _columns("cdnow_customers_summary.csv", ("frequency", "recency", "T"))


def amounts() -> Columns:
    """Frequency and mean repeat amount of the same customers, in dollars."""
    return _columns("cdnow_customers_summary_with_transactions.csv", ("x", "zbar"))


def orders() -> Histories:
    """Records of all 23,570 customers, from January 1997 to June 1998; one line a customer-day, no items."""
    table = pd.read_csv(
        _path("CDNOW_master.txt"), sep=r"\s+", skiprows=1, names=["customer_id", "date", "cds", "dollars"], dtype=str
    )
    days = pd.to_datetime(table["date"], format="%Y%m%d").to_numpy().astype("datetime64[D]").astype(np.int32)
    ids, customer = np.unique(table["customer_id"].to_numpy(str), return_inverse=True)
    cents = np.rint(table["dollars"].to_numpy(np.float64) * 100).astype(np.int64)
    by_day = np.lexsort((days, customer))
    lines = Lines(
        day=days[by_day],
        item=np.zeros(len(days), np.int32),
        is_product=np.ones(len(days), bool),
        quantity=table["cds"].to_numpy(np.float32)[by_day],
        amount=cents[by_day],
    )
    return build_histories(ids.tolist(), customer[by_day].astype(np.int64), lines)


def _columns(name: str, columns: tuple[str, ...]) -> Columns:
    table = pd.read_csv(_path(name))
    return tuple(table[column].to_numpy(np.float64) for column in columns)


def _path(name: str) -> str:
    files = importlib.metadata.files("lifetimes") or []
    (path,) = (file.locate() for file in files if file.name == name)
    return str(path)
