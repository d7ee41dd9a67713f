"""A slate over HTTP against a reply that costs nothing to make, through the same gunicorn, one connection."""

from __future__ import annotations

import http.client
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks.ratio import Ratio, median_seconds
from tests.checks.environments import run
from tests.live_service import LiveService, live_service
from training.synth import SynthSize, write_synth

SIZE = SynthSize(customers=2_000, items=1_000, lines=150_000, seed=7)
N_REQUESTS = 500


def measure() -> Iterator[Ratio]:
    """Seconds for 500 requests, one after the other, each for another customer."""
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder:
        artifacts = Path(folder) / "artifacts"
        config = write_synth(SIZE, Path(folder) / "shop")
        command = [str(programs / "recsvc-train"), "fit", str(config), "--artifacts", str(artifacts), "--force"]
        run(command, capture=True)
        with live_service([str(programs / "recsvc")], artifacts) as live:
            rows = live.get("/v1/win-back", limit=N_REQUESTS)["customers"]
            slates = [f"/v1/customers/{row['customer_id']}/recommendations?k=10" for row in rows]
            fixed = ["/health/live"] * len(slates)
            ours = median_seconds(lambda: _ask_all(live, slates))
            bare = median_seconds(lambda: _ask_all(live, fixed))
    yield Ratio(f"live slates over HTTP, {len(slates)} requests", "/health/live", ours, bare)


def _ask_all(live: LiveService, paths: Sequence[str]) -> None:
    connection = http.client.HTTPConnection(urlsplit(live.url).netloc, timeout=30)
    for path in paths:
        connection.request("GET", path, headers={"Authorization": f"Bearer {live.key}"})
        reply = connection.getresponse()
        reply.read()
        if reply.status != 200:
            raise RuntimeError(f"{path}: {reply.status}")
    connection.close()
