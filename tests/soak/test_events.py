from __future__ import annotations

import http.client
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from recsvc.bundle.reader import open_bundle
from recsvc.bundle.store import BundleStore
from recsvc.store.engine import open_store
from recsvc.store.events import EventStore
from tests.live_service import LiveService, live_service
from tests.purchases import purchase, unseen_purchases
from tests.soak.conftest import RECSVC, Shop

PAIRS = 1_000
SENDERS = 4
KILLS = 12
BATCH = 20


@pytest.fixture(scope="module")
def artifacts(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifacts")
    subprocess.check_output(shop.fit(folder, day=30))
    return folder


@contextmanager
def served(artifacts: Path, store_url: str) -> Iterator[LiveService]:
    with live_service(["env", f"RECSVC_STORE_URL={store_url}", RECSVC], artifacts) as live:
        yield live


def ids_of(artifacts: Path) -> tuple[list[str], list[str]]:
    """Customers and items of the live bundle."""
    bundle = open_bundle(BundleStore(artifacts).current())
    items = [str(bundle.items.ids.id(row)) for row in range(bundle.items.n_catalogue)]
    return bundle.customer_table["customer_id"].to_pylist(), items


@pytest.mark.soak
def test_a_thousand_purchases_are_each_known_to_the_next_answer(artifacts: Path, store_url: str) -> None:
    customer_ids, item_ids = ids_of(artifacts)

    with served(artifacts, store_url) as live:
        unseen = unseen_purchases([live], customer_ids, item_ids, pairs=PAIRS, seed=7)

    assert unseen == []


@pytest.mark.soak
@pytest.mark.parametrize("whole", [False, True], ids=["workers", "the whole server"])
def test_no_acknowledged_event_is_lost_or_kept_twice_when_killed(artifacts: Path, store_url: str, whole: bool) -> None:
    acknowledged: Counter[str] = Counter()
    rng = np.random.default_rng(7)

    for life in range(KILLS if whole else 1):
        with served(artifacts, store_url) as live:
            stop = threading.Event()
            senders = [
                threading.Thread(target=send_until, args=(live, f"{life}-{sender}", stop, acknowledged))
                for sender in range(SENDERS)
            ]
            for sender in senders:
                sender.start()
            for _ in range(1 if whole else KILLS):
                time.sleep(float(rng.uniform(0.3, 1.5)))
                kill(live, whole=whole)
            time.sleep(0 if whole else 3)
            stop.set()
            for sender in senders:
                sender.join()

    engine = open_store(store_url)
    kept = Counter(event.event_id for event in EventStore(engine).all())
    engine.dispose()
    assert len(acknowledged) > 20 * BATCH
    assert set(acknowledged) - set(kept) == set()
    assert {event_id for event_id, times in kept.items() if times > 1} == set()


def send_until(live: LiveService, name: str, stop: threading.Event, acknowledged: Counter[str]) -> None:
    """Send batch after batch; each is sent again until it is acknowledged, as a careful sender does."""
    number = 0
    while not stop.is_set():
        ids = [f"{name}-{number}-{place}" for place in range(BATCH)]
        events = [purchase(event_id, f"c{place}", "an item") for place, event_id in enumerate(ids)]
        try:
            reply = live.post("/v1/events", {"events": events})
        except (OSError, http.client.HTTPException):  # refused, reset, or 5xx: nothing was promised
            time.sleep(0.05)
            continue
        assert reply["accepted"] + reply["duplicate"] == BATCH
        acknowledged.update(ids)
        number += 1


def kill(live: LiveService, *, whole: bool) -> None:
    """End, at once, one worker, or the server with all of them."""
    children = subprocess.run(["pgrep", "-P", str(live.process_id)], stdout=subprocess.PIPE, text=True, check=False)
    workers = [int(one) for one in children.stdout.split()]
    if whole:
        os.killpg(live.process_id, signal.SIGKILL)
    elif workers:
        os.kill(workers[0], signal.SIGKILL)
