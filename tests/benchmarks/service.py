"""Slates over HTTP against routes that cost next to nothing to answer, in the same service, on the same two cores.

The load comes from one more process on those cores, over 16 kept-alive connections. Both speeds, what a worker takes in
memory, and what a swap of bundles costs.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recsvc.bundle.reader import open_bundle
from recsvc.bundle.store import BundleStore
from tests.benchmarks.http_load import WARM_UP_SECONDS, Load, load, request_line
from tests.benchmarks.ratio import RUNS, Ratio
from tests.benchmarks.reference_app import BARE, FIXED
from tests.benchmarks.served import Served, served
from tests.checks.environments import run
from tests.trained import add_another
from training.synth import SynthSize, write_synth

SIZE = SynthSize(customers=2_000, items=1_000, lines=150_000, seed=7)
CONNECTIONS, SECONDS, SWAP_SECONDS = 16, 4.0, 10.0
LIVE = "?k=9"  # no length that is stored
MEMORY_GOAL_MB = 40.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians over some runs; seconds of CPU are those of all workers for one request."""

    wall: float
    cpu: float
    p50: float
    p99: float


def measure() -> Iterator[Ratio]:
    """Every row of the service."""
    with tempfile.TemporaryDirectory() as folder:
        artifacts, empty = Path(folder) / "artifacts", Path(folder) / "empty"
        train(Path(folder) / "shop", artifacts)
        empty.mkdir()
        with served(empty, until="/health/live") as idle:
            imports = idle.private_megabytes()
        with served(artifacts) as service:
            service.wait_for(BundleStore(artifacts).current().manifest.bundle_id)
            paths = [f"/v1/customers/{one}/recommendations" for one in customer_ids(artifacts)]
            found = median_of_runs(service, {FIXED: [FIXED], BARE: [BARE], "stored": paths, "live": with_k(paths)})
            yield from _speeds(found)
            beyond = service.private_megabytes() - imports
            yield Ratio("private memory a worker beyond imports, MB", "40 MB", beyond, MEMORY_GOAL_MB, 1.0)
            yield from _swap(service, artifacts, paths)


def train(shop: Path, artifacts: Path) -> None:
    """Make a bundle live, and another one ready beside it that differs in its report."""
    program = str(Path(sys.executable).with_name("recsvc-train"))
    config = write_synth(SIZE, shop)
    run([program, "fit", str(config), "--artifacts", str(artifacts), "--force"], capture=True)
    add_another(BundleStore(artifacts))


def customer_ids(artifacts: Path) -> list[str]:
    """Every customer of the live bundle."""
    ids: list[str] = open_bundle(BundleStore(artifacts).current()).customer_table["customer_id"].to_pylist()
    return ids


def with_k(paths: Sequence[str]) -> list[str]:
    """The same questions for a list that no bundle stores."""
    return [f"{path}{LIVE}" for path in paths]


def median_of_runs(service: Served, kinds: dict[str, list[str]]) -> dict[str, Measured]:
    """Medians for each kind of question, the kinds one after the other within each run."""
    runs: dict[str, list[Measured]] = {kind: [] for kind in kinds}
    for _ in range(RUNS):
        for kind, paths in kinds.items():
            before = service.cpu_seconds()
            found = ask(service, paths)
            cpu = (service.cpu_seconds() - before) / (found.per_second * (SECONDS + WARM_UP_SECONDS))
            runs[kind].append(Measured(1 / found.per_second, cpu, found.p50, found.p99))
    return {kind: _median(some) for kind, some in runs.items()}


def ask(service: Served, paths: Sequence[str], seconds: float = SECONDS) -> Load:
    """Load of some questions, all of which must be answered."""
    requests = [request_line(path, service.running.key) for path in paths]
    found = load(service.running.address, requests, connections=CONNECTIONS, seconds=seconds)
    if found.failures:
        raise RuntimeError(f"{found.failures} requests like {paths[0]} were not answered")
    return found


def _median(some: Sequence[Measured]) -> Measured:
    return Measured(*(statistics.median(getattr(one, name) for one in some) for name in Measured.__slots__))


def _speeds(found: dict[str, Measured]) -> Iterator[Ratio]:
    fixed, bare, stored, live = found[FIXED], found[BARE], found["stored"], found["live"]
    yield Ratio("stored slate over HTTP, a request", "the same reply, fixed", stored.wall, fixed.wall, 1 / 0.85)
    yield Ratio("stored slate, CPU a request", "the same reply, fixed", stored.cpu, fixed.cpu)
    yield Ratio("live slate, CPU a request", "fixed + one search + trees once", live.cpu, bare.cpu, 1.5)
    yield Ratio("stored slate, p99", "fixed reply, p99", stored.p99, fixed.p99, 1.5)
    yield Ratio("live slate, p99", "its own p50", live.p99, live.p50, 4.0)


def _swap(service: Served, artifacts: Path, paths: Sequence[str]) -> Iterator[Ratio]:
    """The tail of a load with a swap in its midst, and how long all workers take to be new."""
    store = BundleStore(artifacts)
    second, first = (one.manifest.bundle_id for one in store.bundles())
    usual: list[float] = []
    swapped: list[float] = []
    delays: list[float] = []
    for bundle_id in (second, first, second)[:RUNS]:
        usual.append(ask(service, paths, SWAP_SECONDS).p99)
        with _swapping_to(bundle_id, service, store, delays):
            swapped.append(ask(service, paths, SWAP_SECONDS).p99)
    tail, usual_tail, delay = (statistics.median(some) for some in (swapped, usual, delays))
    yield Ratio(f"stored slate, p99 of {SWAP_SECONDS:.0f} s with a swap", "p99 without", tail, usual_tail, 1.2)
    yield Ratio("all workers new after a swap under load", "1 s", delay, 1.0, 1.0)


@contextmanager
def _swapping_to(bundle_id: str, service: Served, store: BundleStore, delays: list[float]) -> Iterator[None]:
    """Make another bundle live half-way through a load, and note the seconds until every worker answers from it."""

    def swap() -> None:
        time.sleep(WARM_UP_SECONDS + SWAP_SECONDS / 2)
        began = time.perf_counter()
        store.activate(bundle_id)
        service.wait_for(bundle_id)
        delays.append(time.perf_counter() - began)

    swapper = threading.Thread(target=swap)
    swapper.start()
    yield
    swapper.join()
