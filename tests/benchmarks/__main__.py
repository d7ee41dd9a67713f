"""Speed as ratios, ours to the bare library's on the same work in the same run; no test asserts a time.

.venv/bin/python -m tests.benchmarks      (what `make bench` runs)
"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from tests.benchmarks import aggregation, offers, retrieval, service, training_run, value_models

PLAIN_WIDTH = 140
BENCHMARKS = (aggregation, value_models, retrieval, offers, training_run, service)


def main() -> None:
    """Run every benchmark and print one table."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    table = Table(
        "what", "ours", "against", "theirs", "ratio", "goal", "", title="Speed, in seconds where nothing else is said"
    )
    for benchmark in BENCHMARKS:
        with console.status(f"Measuring {benchmark.__name__.rpartition('.')[2]} ..."):
            rows = list(benchmark.measure())
        for row in rows:
            goal = f"<= {row.goal:g}" if row.goal else ""
            numbers = f"{row.seconds:.4g}", f"{row.baseline_seconds:.4g}", f"{row.ratio:.3g}"
            table.add_row(row.what, numbers[0], row.against, numbers[1], numbers[2], goal, row.verdict)
    console.print(table)


if __name__ == "__main__":
    main()
