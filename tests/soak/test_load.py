from __future__ import annotations

import os
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.live_service import LiveService, live_service
from tests.soak.conftest import RECSVC, Shop

SECONDS = float(os.environ.get("SOAK_SECONDS", "1200"))
CLIENTS = 8
SWAP_EVERY_SECONDS = 20.0


@pytest.mark.soak
def test_no_request_fails_under_load_while_bundles_are_swapped(shop: Shop, tmp_path: Path) -> None:
    bundles = [train(shop, tmp_path, day) for day in (29, 30)]
    outcomes: Counter[str] = Counter()
    deadline = time.monotonic() + SECONDS

    with live_service([RECSVC], tmp_path) as live:
        customers = [row["customer_id"] for row in live.get("/v1/win-back", limit=200)["customers"]]
        clients = [
            threading.Thread(target=_ask_until, args=(live, customers[number::CLIENTS], deadline, outcomes))
            for number in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        swap_until(deadline, bundles, tmp_path, every=min(SWAP_EVERY_SECONDS, SECONDS / 4))
        for client in clients:
            client.join()

    assert outcomes.pop("answered", 0) > 100
    assert not {name for name in outcomes if name not in bundles}, outcomes
    assert set(outcomes) == set(bundles)


def train(shop: Shop, artifacts: Path, day: int) -> str:
    """Id of a bundle as of a day."""
    return subprocess.check_output(shop.fit(artifacts, day), text=True).split()[-1]


def _ask_until(live: LiveService, customers: list[str], deadline: float, outcomes: Counter[str]) -> None:
    """Ask for one customer after the other; count replies, the bundles they came from, and failures by kind."""
    turn = 0
    while time.monotonic() < deadline:
        try:
            reply = live.get(f"/v1/customers/{customers[turn % len(customers)]}/recommendations", k=10)
            outcomes["answered"] += 1
            outcomes[reply["bundle_id"]] += 1
        except Exception as error:  # noqa: BLE001  whatever went wrong is the finding
            outcomes[f"{type(error).__name__}: {error}"] += 1
        turn += 1


def swap_until(deadline: float, bundles: list[str], artifacts: Path, *, every: float) -> None:
    """Make one bundle live after the other, every so many seconds."""
    turn = 0
    while time.monotonic() < deadline:
        command = [RECSVC, "bundles", "activate", bundles[turn % len(bundles)], "--artifacts", str(artifacts)]
        subprocess.check_output(command)
        time.sleep(every)
        turn += 1
