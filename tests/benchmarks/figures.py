"""Figures of a back-test as the benchmarks print them: methods down, groups across."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from training.backtest import Row
from training.metrics import Estimate
from training.report import TITLES, Cells
from training.sheets import Sheet, terminal_table
from training.split import GROUPS

NDCG = "ndcg@10"
BEYOND_CHANCE = "* beyond chance"


def shown(row: Row | None) -> str:
    """Return a figure with its interval; nothing where it applies to nobody."""
    return "" if row is None else _with_interval(row.estimate, "")


def signed(row: Row | None) -> str:
    """Return a difference with its interval; a star where the interval lies on one side of 0."""
    if row is None:
        return ""
    estimate = row.estimate
    return _with_interval(estimate, "+") + ("*" if estimate.low * estimate.high > 0 else "")


def comparison_sheet(title: str, found: Cells, split: str, ours: str, others: Sequence[str]) -> Sheet:
    """NDCG@10 of every method in every group, and below it how much higher ours is, customer by customer."""
    groups = [group for group in GROUPS if (group, ours, split, NDCG) in found]
    rows = [
        (
            method.replace("_", " "),
            *(
                f"{shown(found.get((group, method, split, NDCG)))}\n"
                f"{signed(found.get((group, f'{ours} - {method}', split, NDCG)))}".strip()
                for group in groups
            ),
        )
        for method in (ours, *others)
    ]
    headings = [f"{TITLES[group]} (n = {found[group, ours, 'all', NDCG].n:,})" for group in groups]
    return Sheet(title, ("method", *headings), tuple(rows))


def print_sheets(sheets: Sequence[Sheet], width: int, markdown: Path | None) -> None:
    """Print tables, and write the same ones as Markdown where asked to."""
    console = Console(width=width, highlight=False)
    for sheet in sheets:
        console.print(terminal_table(sheet))
    if markdown:
        markdown.write_text("\n\n".join(map(_markdown_table, sheets)) + "\n", "utf-8")


def _markdown_table(sheet: Sheet) -> str:
    lines = [sheet.headings, ["---"] * len(sheet.headings), *sheet.rows]
    table = "\n".join(f"| {' | '.join(cell.replace(chr(10), '<br>') for cell in cells)} |" for cells in lines)
    return f"{sheet.title}:\n\n{table}"


def _with_interval(estimate: Estimate, sign: str) -> str:
    return f"{estimate.mean:{sign}.4f} [{estimate.low:{sign}.4f}, {estimate.high:{sign}.4f}]"
