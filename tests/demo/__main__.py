"""The whole way once, on a real year of grocery orders: train, serve, ask over HTTP, show.

    .venv/bin/python -m tests.demo --artifacts artifacts      (what `make demo` runs)

Run again it trains to the same bundle, and leaves no key and no process behind. On a terminal the service stays up, so
that one can look around, until Ctrl-C; otherwise it stops when the tables are printed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
from rich.console import Console

from recsvc.bundle.reader import open_bundle
from recsvc.bundle.store import BundleStore
from recsvc.domain.layers import COLUMNS, LayerRow, layers
from tests.demo.tables import customer_table, layer_table, read_early_warning, read_win_back, warning_table
from tests.live_service import LiveService, live_service

PRESET = "complete_journey"
PROGRAMS = Path(sys.executable).parent
PLAIN_WIDTH = 140


@click.command()
@click.option("--artifacts", type=click.Path(path_type=Path), default=Path("artifacts"), show_default=True)
def demo(artifacts: Path) -> None:
    """Train on Complete Journey, serve it, and show whom to win back with what."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the service is stopped then, too
    started = time.monotonic()
    console.rule(f"recsvc-train fit {PRESET}")
    sys.stdout.flush()
    _train(artifacts)
    with live_service([str(PROGRAMS / "recsvc")], artifacts) as live:
        console.rule("recsvc serve, asked over HTTP")
        console.print(layer_table(_layers(artifacts)))
        console.print(customer_table(read_win_back(live)))
        console.print(warning_table(read_early_warning(live)))
        _say_where(console, live, time.monotonic() - started)
        if sys.stdout.isatty():
            _keep_serving(console)


def _train(artifacts: Path) -> None:
    command = [str(PROGRAMS / "recsvc-train"), "fit", PRESET, "--artifacts", str(artifacts)]
    wide = {} if sys.stderr.isatty() else {"COLUMNS": str(PLAIN_WIDTH)}  # tables are not cut short in a log
    done = subprocess.run(command, check=False, env=os.environ | wide)
    if done.returncode < 0:
        sys.exit(f"recsvc-train was stopped by {signal.Signals(-done.returncode).name}")
    if done.returncode:
        sys.exit(done.returncode)  # the command has said why


def _layers(artifacts: Path) -> tuple[LayerRow, ...]:
    table = open_bundle(BundleStore(artifacts).current()).customer_table
    return layers({name: table[name].to_numpy() for name in COLUMNS})


def _say_where(console: Console, live: LiveService, seconds: float) -> None:
    ready = live.get("/health/ready")
    console.print(f"Bundle {ready['bundle_id']}, history until {ready['as_of']}; {seconds:.0f} s in all.")
    console.print(f"Documentation of the API: {live.url}/docs")
    console.print(
        "Serve it yourself: recsvc keys create --name me --scope read; recsvc serve", markup=False, soft_wrap=True
    )


def _keep_serving(console: Console) -> None:
    console.print("The service stays up until Ctrl-C.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("Stopping.")


if __name__ == "__main__":
    demo()
