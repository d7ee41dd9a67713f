"""The service with the routes to compare with, under gunicorn with two workers, and what its workers take."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.gunicorn_process import START_SECONDS, Running

APPLICATION = "tests.benchmarks.reference_app:build_app()"
WORKERS = 2
LOOK_EVERY_SECONDS = 0.02
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A running service, and what its workers take."""

    running: Running

    def cpu_seconds(self) -> float:
        """CPU time of all workers so far."""
        workers = self.running.workers()
        stats = (Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in workers)
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / TICKS

    def private_megabytes(self) -> float:
        """Largest memory that a worker has for itself."""
        return max(private_megabytes(one) for one in self.running.workers())

    def n_answering_from(self, bundle_id: str) -> int:
        """Workers that answer from a bundle."""
        told = re.search(rf'recsvc_bundle_info{{bundle_id="{bundle_id}"}} (\d+)', self.running.get("/metrics").decode())
        return int(told[1]) if told else 0

    def wait_for(self, bundle_id: str) -> None:
        """Wait until every worker answers from a bundle."""
        while self.n_answering_from(bundle_id) < WORKERS:
            time.sleep(LOOK_EVERY_SECONDS)


def private_megabytes(process_id: int) -> float:
    """Memory that only this process has; mapped bundles, which all share, do not count."""
    lines = Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1_024 / 1e6


@contextmanager
def served(artifacts: Path, *, until: str = "/health/ready") -> Iterator[Served]:
    """Serve a folder of bundles without a limit of requests, from when a route of health says yes."""
    running = Running(artifacts, APPLICATION, requests_per_second=0, workers=WORKERS)
    try:
        running.wait()
        deadline = time.monotonic() + START_SECONDS
        while running.ask(until).status != 200:
            if time.monotonic() > deadline:
                raise RuntimeError(running.log.read_text()[-2_000:])
            time.sleep(0.1)
        yield Served(running)
    finally:
        running.kill()
