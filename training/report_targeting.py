"""The targeting table as a person reads it: orderings down, groups across, and whether P(return) means what it says."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.table import Table

from training.calibration import Calibration
from training.metrics import Estimate
from training.targeting import CAVEAT, METHODS, TARGET_GROUPS, CaptureRow, TargetingTable

TITLES = {
    "all": "everybody",
    "personal_clock": "late, lapsed or lost",
    "personal_clock_high_value": "the same & high value",
    "win_back_list": "win-back list",
    "silent_90_days": "silent 90 days",
}


def print_targeting(console: Console, found: TargetingTable | None) -> None:
    """Capture by ordering and group, then calibration; nothing when there was no back-test."""
    if found is None or not found.rows:
        return
    shipped = ", ".join(f"{name} x {count}" for name, count in sorted(Counter(found.shipped).items()))
    console.print(f"Whom to win back: share of the spend to come that the top 20 % hold; {CAVEAT}.")
    console.print(_captures(found.rows))
    console.print(f"shipped, cut-off by cut-off: {shipped}")
    console.print(_calibrations(found.calibration))


def _captures(rows: tuple[CaptureRow, ...]) -> Table:
    cells = {(row.group, row.ordering): row for row in rows}
    table = Table(title="Captured by the top 20 %, and its difference from past spend with 95 % interval")
    table.add_column("order by")
    groups = [group for group in TARGET_GROUPS if any(row.group == group for row in rows)]
    for group in groups:
        size = next(row.n for row in rows if row.group == group)
        table.add_column(f"{TITLES[group]}\n(n = {size:,})", justify="right")
    for method in METHODS:
        if any((group, method) in cells for group in groups):
            table.add_row(method.replace("_", " "), *(_shown(cells.get((group, method))) for group in groups))
    return table


def _shown(row: CaptureRow | None) -> str:
    if row is None:
        return ""
    return f"{row.estimate.mean:.3f} {_difference(row.over_past_spend)}"


def _difference(by: Estimate) -> str:
    return f"({by.mean:+.3f}: {by.low:+.3f} to {by.high:+.3f})" if by.mean or by.low or by.high else ""


def _calibrations(found: tuple[Calibration, ...]) -> Table:
    table = Table(title="Calibration of P(return)")
    for heading in ("customers", "n", "predicted", "actual", "ECE", "ECE without the season's level"):
        table.add_column(heading, justify="left" if heading == "customers" else "right")
    for one in found:
        means = (f"{value:.3f}" for value in (one.predicted, one.actual, one.ece, one.ece_at_level))
        table.add_row(TITLES[one.group], f"{one.n:,}", *means)
    return table
