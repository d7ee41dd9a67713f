"""The client against a real service: every route, refusals, and a service that is busy or away for a moment."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from recsvc import client
from recsvc.api.routes import ROUTES
from recsvc.bundle.store import BundleStore
from recsvc.client import Client, ServiceError
from recsvc.store.engine import open_store
from recsvc.store.keys import SCOPES, KeyStore
from tests.live_service import LiveService, live_service
from tests.trained import Trained, with_another

RECSVC = [
    "env",
    "RECSVC_MAX_BUNDLE_AGE_DAYS=36500",
    sys.executable,
    "-c",
    "from recsvc.cli.main import main; main()",
]
METHODS = {
    "customer_recommendations": "recommendations",
    "recommendations": "recommendations",
    "post_recommendations": "recommendations_of_many",
    "customer_by_query": "customer",
    "similar_items": "similar_items",
    "similar_items_by_query": "similar_items",
    "post_events": "send_events",
}


@pytest.fixture(scope="module")
def artifacts(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_another(trained, tmp_path_factory.mktemp("client") / "artifacts").root


@pytest.fixture(scope="module")
def key(artifacts: Path) -> str:
    """Key of every scope, there before the service is."""
    engine = open_store(f"sqlite:///{artifacts / 'live.sqlite'}")
    plaintext, _ = KeyStore(engine).create("client", SCOPES, created_at=datetime.now(UTC))
    engine.dispose()
    return plaintext


@pytest.fixture(scope="module")
def service(artifacts: Path, key: str) -> Iterator[LiveService]:
    with live_service(RECSVC, artifacts) as running:
        yield running


@pytest.fixture
def shop(service: LiveService, key: str) -> Iterator[Client]:
    with Client(service.url, key) as opened:
        yield opened


def test_there_is_a_method_for_every_route_of_v1() -> None:
    names = {METHODS.get(route.name, route.name) for route in ROUTES if route.rule.startswith("/v1")}

    assert [name for name in sorted(names) if not callable(getattr(Client, name, None))] == []


def test_every_question_is_answered(shop: Client, everybody: list[str]) -> None:
    first = everybody[0]

    assert shop.recommendations(first, k=3)["strategy"] == "personal"
    assert len(shop.recommendations_of_many(everybody[:4], k=2)["slates"]) == 4
    assert shop.customer(first)["customer"]["win_back_rank"] == 1
    item_id = shop.recommendations(first)["items"][0]["item_id"]
    assert shop.similar_items(item_id, k=2)["items"]
    assert shop.win_back(limit=2, state=["lapsed", "lost"])["customers"]
    assert "customers" in shop.early_warning()
    assert [row["customer_id"] for row in shop.everybody_to_win_back()][:3] == everybody[:3]
    assert shop.is_ready()


def test_what_is_sent_is_kept_once(shop: Client, everybody: list[str]) -> None:
    event = {"event_id": "c1", "kind": "unsubscribe", "customer_id": everybody[9], "channel": "email"}
    event["occurred_at"] = datetime(2026, 1, 5, tzinfo=UTC)  # type: ignore[assignment]

    assert shop.send_events([event])["accepted"] == 1
    assert shop.send_events([event])["duplicate"] == 1
    assert shop.put_availability([{"item_id": "no such", "available": False}])["changed"] == 1


def test_bundles_are_changed(shop: Client, artifacts: Path) -> None:
    later, earlier = (one["bundle_id"] for one in shop.bundles()["bundles"])

    assert shop.activate(later)["live"]
    assert not shop.bundle(earlier)["live"]
    assert shop.rollback(leave=later)["bundle_id"] == earlier == BundleStore(artifacts).current_id()


def test_a_refusal_names_the_request_and_not_the_customer(shop: Client) -> None:
    with pytest.raises(ServiceError, match="GET /v1/customers: 404 unknown_customer") as raised:
        shop.customer("nobody we know")

    assert "nobody we know" not in str(raised.value)
    assert raised.value.request_id


def test_a_wrong_key_is_not_tried_again(service: LiveService) -> None:
    with Client(service.url, "rsk_0_0") as stranger, pytest.raises(ServiceError, match="401 key_refused"):
        stranger.win_back()


class _Busy(BaseHTTPRequestHandler):
    """Answers 503, then breaks the connection, then answers."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        if self.asked == 2:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = b'{"customers": [], "next_cursor": null}' if self.asked > 2 else b"{}"
        self.send_response(200 if self.asked > 2 else 503)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_service_that_is_busy_or_away_for_a_moment_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT_SECONDS", 0.001)
    server = HTTPServer(("127.0.0.1", 0), _Busy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with Client(f"http://127.0.0.1:{server.server_port}") as shop:
            assert shop.win_back()["customers"] == []
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert _Busy.asked == 3


def test_a_service_that_is_not_there_is_said_to_be_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT_SECONDS", 0.001)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        with Client(url) as shop, pytest.raises(ServiceError, match="unreachable"):
            shop.is_ready()


@pytest.mark.parametrize("url", ["recs.example", "ftp://recs.example", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no http or https address"):
        Client(url)
