"""The service under gunicorn with two workers, as `recsvc serve` starts it, and what its workers take."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recsvc.store.engine import open_store
from recsvc.store.keys import KeyStore

START_SECONDS = 60.0
COMMAND = ("-m", "gunicorn", "--config", "python:recsvc.gunicorn_conf", "tests.benchmarks.reference_app:build_app()")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A running service; `address` is host and port, `key` has the scope `read`."""

    address: str
    key: str
    process_id: int

    def workers(self) -> list[int]:
        """Ids of the worker processes."""
        children = Path(f"/proc/{self.process_id}/task/{self.process_id}/children")
        return [int(number) for number in children.read_text().split()]

    def cpu_seconds(self) -> float:
        """CPU time of all workers so far."""
        stats = (Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in self.workers())
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / TICKS

    def private_megabytes(self) -> float:
        """Largest memory that a worker has for itself: mapped bundles do not count."""
        return max(private_megabytes(one) for one in self.workers())

    def health(self, path: str) -> bool:
        """Whether a route of health says yes."""
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=5):
                return True
        except OSError:
            return False


def private_megabytes(process_id: int) -> float:
    """Memory that only this process has; mapped bundles, which all share, do not count."""
    lines = Path(f"/proc/{process_id}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) * 1_024 / 1e6


@contextmanager
def served(artifacts: Path, *, ready: str = "/health/ready") -> Iterator[Served]:
    """Serve a folder of bundles without a limit of requests, from when `ready` says yes."""
    store_url = f"sqlite:///{artifacts / 'live.sqlite'}"
    engine = open_store(store_url)
    key, _ = KeyStore(engine).create("benchmark", ["read"], created_at=datetime.now(UTC))
    engine.dispose()
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = {"ARTIFACTS": artifacts, "BIND": address, "STORE_URL": store_url, "REQUESTS_PER_SECOND": 0, "WORKERS": 2}
    environment = os.environ | {f"RECSVC_{name}": str(value) for name, value in settings.items()}
    with (artifacts / "benchmark.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, *COMMAND], env=environment, stdout=log, stderr=log)
    running = Served(address, key, process.pid)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not running.health(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((artifacts / "benchmark.log").read_text()[-2_000:])
            time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait()
