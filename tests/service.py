"""A whole service around the fake recommender, and a client with a key, for tests of the HTTP interface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from recsvc.api.route import Route
from recsvc.api.routes import ROUTES
from recsvc.app import create_app
from recsvc.settings import Settings
from recsvc.store.engine import open_store
from recsvc.store.keys import KeyStore
from tests.fake_recommender import NOW, FakeLive, FakeRecommender


@dataclass
class Service:
    client: FlaskClient
    live: FakeLive
    keys: KeyStore
    key: str
    other_key: str  # without any of its scopes

    @property
    def recommender(self) -> FakeRecommender:
        return self.live.current()

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, headers={"X-API-Key": self.key}, **more)

    def post(self, path: str, **more: Any) -> TestResponse:
        return self.client.post(path, headers={"X-API-Key": self.key}, **more)


@contextmanager
def serving(
    folder: Path, *, now: datetime = NOW, routes: tuple[Route, ...] = ROUTES, **settings: object
) -> Iterator[Service]:
    """A service whose connections are closed afterwards."""
    made = _make_service(folder, now, routes, settings)
    yield made
    made.keys.engine.dispose()


def _make_service(folder: Path, now: datetime, routes: tuple[Route, ...], settings: Mapping[str, object]) -> Service:
    chosen = Settings(artifacts=folder, **settings)  # type: ignore[arg-type]
    live = FakeLive()
    keys = KeyStore(open_store(chosen.live_store_url))
    key, _ = keys.create("tests", ["read", "ingest", "admin"], created_at=now)
    app = create_app(chosen, live, keys, clock=lambda: now, routes=routes)
    other_key, _ = keys.create("other", ["campaign"], created_at=now)
    return Service(app.test_client(), live, keys, key, other_key)
