"""The targeting table as a person reads it: orderings down, groups across, and whether P(return) means what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from rich.console import Console

from training.calibration import Calibration, in_words
from training.metrics import Estimate
from training.sheets import Sheet, terminal_table
from training.targeting import CAVEAT, METHODS, ORDERED_BY, TARGET_GROUPS, CaptureRow, TargetingTable

TITLES = {
    "all": "everybody",
    "personal_clock": "late, lapsed or lost",
    "personal_clock_high_value": "the same & high value",
    "win_back_list": "win-back list",
    "silent_90_days": "silent 90 days",
}
CALIBRATION = ("customers", "n", "predicted", "actual", "ECE", "ECE without the season's level")


def print_targeting(console: Console, found: TargetingTable | None) -> None:
    """Capture by ordering and group, then calibration; nothing when there was no back-test."""
    if found is None or not found.rows:
        return
    console.print(f"Whom to win back: share of the spend to come that the top 20 % hold; {CAVEAT}.")
    for sheet in (capture_sheet(found.rows), lead_sheet(found.rows)):
        console.print(terminal_table(sheet))
    console.print(f"shipped, cut-off by cut-off: {shipped_in_words(found)}")
    console.print(terminal_table(calibration_sheet(found.calibration)))
    for one in found.calibration[:1]:
        console.print(f"{in_words(one)}.")


def shipped_in_words(found: TargetingTable) -> str:
    """Which orderings the replays shipped, and how often."""
    return ", ".join(f"{name} x {count}" for name, count in sorted(Counter(found.shipped).items()))


def capture_sheet(rows: tuple[CaptureRow, ...]) -> Sheet:
    """Orderings down, groups across: share captured and its difference from past spend."""
    title = "Captured by the top 20 %, and its difference from past spend with 95 % interval"
    return _sheet(title, "order by", rows, METHODS, _captured)


def lead_sheet(rows: tuple[CaptureRow, ...]) -> Sheet:
    """Orderings down, groups across: what the shipped one captures more than each."""
    title = "What the shipped order captures more, with paired 95 % interval"
    return _sheet(title, "shipped minus", rows, ORDERED_BY, _lead)


def calibration_sheet(found: tuple[Calibration, ...]) -> Sheet:
    """Mean prediction, share that returned and calibration error, a group a row."""
    rows = [
        (
            TITLES[one.group],
            f"{one.n:,}",
            *(f"{value:.3f}" for value in (one.predicted, one.actual, one.ece, one.ece_at_level)),
        )
        for one in found
    ]
    return Sheet("Calibration of P(return)", CALIBRATION, tuple(rows))


def _sheet(
    title: str, corner: str, rows: tuple[CaptureRow, ...], orderings: Sequence[str], shown: Callable[[CaptureRow], str]
) -> Sheet:
    cells = {(row.group, row.ordering): shown(row) for row in rows}
    sizes = {row.group: row.n for row in rows}
    groups = [group for group in TARGET_GROUPS if group in sizes]
    return Sheet(
        title,
        (corner, *(f"{TITLES[group]}\n(n = {sizes[group]:,})" for group in groups)),
        tuple(
            (name.replace("_", " "), *(cells.get((group, name), "") for group in groups))
            for name in orderings
            if any((group, name) in cells for group in groups)
        ),
    )


def _captured(row: CaptureRow) -> str:
    by = row.over_past_spend
    same = by == Estimate(0.0, 0.0, 0.0)
    return f"{row.estimate.mean:.3f}" if same else f"{row.estimate.mean:.3f} ({_difference(by)})"


def _lead(row: CaptureRow) -> str:
    return _difference(row.shipped_over)


def _difference(by: Estimate) -> str:
    return f"{by.mean:+.3f}: {by.low:+.3f} to {by.high:+.3f}"
