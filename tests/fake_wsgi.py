"""The application of a real worker process, with the fake recommender in it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import Flask

from recsvc.app import create_app
from recsvc.serving.slate import CustomerState
from recsvc.settings import load_settings
from recsvc.store.engine import open_store
from recsvc.store.keys import KeyStore
from tests.fake_recommender import FakeLive, FakeRecommender

HELD = "customer-2"  # whose state is told once the file below is there
RELEASE = "release"
BEGUN = "begun"


@dataclass
class HoldingRecommender(FakeRecommender):
    folder: Path = Path()

    def customer(self, customer_id: str, *, now: datetime) -> CustomerState:
        if customer_id == HELD:
            (self.folder / BEGUN).touch()
        while customer_id == HELD and not (self.folder / RELEASE).exists():
            time.sleep(0.02)
        return super().customer(customer_id, now=now)


def build_app() -> Flask:
    settings = load_settings()
    return create_app(
        settings, FakeLive(HoldingRecommender(folder=settings.folder)), KeyStore(open_store(settings.live_store_url))
    )
