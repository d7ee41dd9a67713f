"""Everything at once for a while: recommendations, batches, events, swaps, erasures; no error, and flat memory."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from recsvc.bundle.store import BundleStore
from tests.benchmarks.served import private_megabytes
from tests.live_service import LiveService, live_service
from tests.purchases import purchase
from tests.soak.conftest import RECSVC, Shop
from tests.soak.test_load import SECONDS, swap_until, train

SWAP_EVERY_SECONDS = min(30.0, SECONDS / 4)
SAMPLE_EVERY_SECONDS = min(5.0, SECONDS / 12)
WARM_SHARE = 0.25  # of the time, before memory is judged: pages are mapped, caches fill, each bundle was opened
MEGABYTES_AN_HOUR = float(os.environ.get("SOAK_MEGABYTES_AN_HOUR", "60"))
ERASE_EVERY_SECONDS = min(20.0, SECONDS / 6)
BATCH = 20
ASKED = 200  # customers of whom nobody is erased; those behind them on the list are, one by one


@dataclass
class Tally:
    """Milliseconds of the requests that were answered, and errors, each by kind."""

    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)

    def timed(self, kind: str, ask: Callable[[], object]) -> None:
        began = time.perf_counter()
        try:
            ask()
        except Exception as error:  # noqa: BLE001  whatever went wrong is the finding
            self.errors[f"{kind}: {type(error).__name__}: {error}"] += 1
        else:
            self.milliseconds.setdefault(kind, []).append((time.perf_counter() - began) * 1_000)


@dataclass
class Memory:
    """Private memory of all workers, in megabytes, by seconds since the start."""

    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    workers: set[int] = field(default_factory=set)

    def sample(self, server: int, began: float) -> None:
        workers = [int(one) for one in Path(f"/proc/{server}/task/{server}/children").read_text().split()]
        self.workers |= set(workers)
        self.seconds.append(time.monotonic() - began)
        self.megabytes.append(sum(map(private_megabytes, workers)))

    def slope(self) -> float:
        """Megabytes an hour once warm, by the median of slopes between all pairs of samples (Theil 1950)."""
        warm = np.array(self.seconds) > self.seconds[-1] * WARM_SHARE
        at, size = np.array(self.seconds)[warm], np.array(self.megabytes)[warm]
        first, second = np.triu_indices(len(at), 1)
        return float(np.median((size[second] - size[first]) / (at[second] - at[first])) * 3_600)


@pytest.mark.soak
def test_mixed_load_meets_no_error_and_memory_stays_flat(shop: Shop, tmp_path: Path) -> None:
    bundles = [train(shop, tmp_path, day) for day in (29, 30)]
    tally, memory = Tally(), Memory()

    with live_service(["env", "RECSVC_REQUESTS_PER_SECOND=0", RECSVC], tmp_path) as live:
        listed = [row["customer_id"] for row in live.get("/v1/win-back", limit=500)["customers"]]
        customers = listed[:ASKED]
        began = time.monotonic()
        deadline = began + SECONDS
        threads = [
            threading.Thread(target=work, args=(live, tally, customers, number, deadline))
            for number, work in enumerate((_recommend, _recommend, _batch, _events))
        ]
        threads += [
            threading.Thread(
                target=swap_until, args=(deadline, bundles, tmp_path), kwargs={"every": SWAP_EVERY_SECONDS}
            ),
            threading.Thread(target=_erase, args=(live, tally, listed[ASKED:], tmp_path, deadline)),
        ]
        for thread in threads:
            thread.start()
        while time.monotonic() < deadline:
            memory.sample(live.process_id, began)
            time.sleep(SAMPLE_EVERY_SECONDS)
        for thread in threads:
            thread.join()
        ready = live.get("/health/ready")

    _print(tally, memory)
    assert dict(tally.errors) == {}
    assert set(tally.milliseconds) == {"recommend", "batch", "events", "erase and ask"}
    assert (ready["bundle_id"], ready["problem"]) == (BundleStore(tmp_path).current_id(), None)
    assert len(memory.workers) == 2, "a worker was replaced"
    assert SECONDS < 600 or memory.slope() < MEGABYTES_AN_HOUR  # a shorter run is all warming up


def _recommend(live: LiveService, tally: Tally, customers: Sequence[str], number: int, deadline: float) -> None:
    rng = np.random.default_rng(number)
    while time.monotonic() < deadline:
        path = f"/v1/customers/{rng.choice(customers)}/recommendations"
        tally.timed("recommend", lambda path=path: live.get(path, k=10))  # type: ignore[misc]


def _batch(live: LiveService, tally: Tally, customers: Sequence[str], number: int, deadline: float) -> None:
    rng = np.random.default_rng(number)
    while time.monotonic() < deadline:
        body = {"customer_ids": rng.choice(customers, 50, replace=False).tolist(), "k": 10}
        tally.timed("batch", lambda body=body: live.post("/v1/recommendations", body))  # type: ignore[misc]
        time.sleep(0.2)


def _events(live: LiveService, tally: Tally, customers: Sequence[str], number: int, deadline: float) -> None:
    rng, turn = np.random.default_rng(number), 0
    while time.monotonic() < deadline:
        turn += 1
        events = [purchase(f"{turn}-{place}", str(rng.choice(customers)), f"item {place}") for place in range(BATCH)]
        tally.timed("events", lambda events=events: live.post("/v1/events", {"events": events}))  # type: ignore[misc]
        time.sleep(0.5)


def _erase(live: LiveService, tally: Tally, customers: Sequence[str], artifacts: Path, deadline: float) -> None:
    """Erase one customer after the other; each is a stranger in the very next answer."""
    for customer_id in customers:
        if time.monotonic() >= deadline:
            return
        tally.timed("erase and ask", partial(_erase_and_ask, live, customer_id, artifacts))
        time.sleep(ERASE_EVERY_SECONDS)


def _erase_and_ask(live: LiveService, customer_id: str, artifacts: Path) -> None:
    subprocess.run(
        [RECSVC, "privacy", "erase", customer_id, "--artifacts", str(artifacts)], check=True, capture_output=True
    )
    strategy = live.get(f"/v1/customers/{customer_id}/recommendations")["strategy"]
    if strategy != "popular":
        raise RuntimeError(f"an erased customer got a slate that is {strategy}")


def _print(tally: Tally, memory: Memory) -> None:
    table = Table("request", "answered", "a second", "median ms", "99 % ms", title=f"{SECONDS:.0f} s of mixed load")
    for kind, times in sorted(tally.milliseconds.items()):
        middle, late = np.percentile(times, [50, 99])
        table.add_row(kind, str(len(times)), f"{len(times) / SECONDS:.1f}", f"{middle:.1f}", f"{late:.1f}")
    console = Console(width=100)
    console.print(table)
    console.print(f"errors: {sum(tally.errors.values())} {dict(tally.errors)}")
    console.print(
        f"memory of the workers alone: {memory.megabytes[0]:.0f} MB at first, {memory.megabytes[-1]:.0f} MB at last,"
        f" at most {max(memory.megabytes):.0f} MB; slope once warm {memory.slope():+.1f} MB an hour"
    )
