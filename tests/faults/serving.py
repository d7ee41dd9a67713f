"""The whole service over a trained bundle, with a clock a test can turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from recsvc.app import create_app
from recsvc.serving.live_source import LiveSource
from recsvc.serving.reload import LiveRecommender
from recsvc.settings import Settings
from recsvc.store.engine import open_store
from recsvc.store.keys import KeyStore


@dataclass
class Clock:
    """The present moment, as far as the service knows."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Shop:
    """A client with a key of scopes `read` and `ingest`, and what a test breaks."""

    client: FlaskClient
    key: str
    live: LiveRecommender
    store: KeyStore
    clock: Clock
    sent: int = 0

    def status(self, path: str) -> tuple[int, str | None]:
        """Status and code of a question."""
        reply = self.client.get(path, headers={"X-API-Key": self.key})
        return reply.status_code, reply.json.get("code")

    def asks(self, customer_id: str = "nobody") -> tuple[int, str | None]:
        """Status and code of a recommendation."""
        return self.status(f"/v1/customers/{customer_id}/recommendations")

    def ready(self) -> tuple[int, str | None]:
        """Status and code of `/health/ready`."""
        return self.status("/health/ready")

    def sends(self, *moments: datetime, note: str = "") -> Any:  # Any: JSON
        """Reply to views at these moments, or at the present one; its events are called e-1, e-2, ..."""
        events = []
        for moment in moments or (self.clock.now,):
            self.sent += 1
            event = {"event_id": f"e-{self.sent}", "kind": "view", "customer_id": "anna", "item_id": "jam"}
            events.append(event | {"occurred_at": moment.isoformat()} | ({"text": note} if note else {}))
        return self.client.post("/v1/events", json={"events": events}, headers={"X-API-Key": self.key}).json


@contextmanager
def shop_over(artifacts: Path, store_url: str, now: datetime) -> Iterator[Shop]:
    """A service over the live bundle of a folder; its connections are closed afterwards."""
    engine, clock = open_store(store_url), Clock(now)
    source = LiveSource(engine)
    live, keys = LiveRecommender(artifacts, source.of_bundle), KeyStore(engine)
    key, _ = keys.create("tests", ["read", "ingest"], created_at=now)
    client = create_app(Settings(artifacts=artifacts), live, keys, clock=clock).test_client()
    try:
        yield Shop(client, key, live, keys, clock)
    finally:
        source.close()
        engine.dispose()
