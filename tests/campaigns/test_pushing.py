"""Pushing to a real receiver on loopback: signed, tried again, never twice; refused hosts and private addresses."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
import sqlalchemy as sa

from recsvc.campaigns.exporting import Gate
from recsvc.campaigns.gathering import ContactFacts
from recsvc.campaigns.pushing import AT_ONCE, TRIES, Pushed, Pusher
from recsvc.campaigns.webhook import post, target_of
from recsvc.errors import ConfigError
from recsvc.store.campaigns import CampaignStore, Launch, Member

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECRET = b"0123456789abcdef"
MEMBERS = 2 * AT_ONCE + 7


class Receiver(BaseHTTPRequestHandler):
    """Remembers what it took; answers as its list of statuses says, then 200."""

    statuses: ClassVar[list[int]]
    taken: ClassVar[list[dict[str, object]]]
    keys: ClassVar[list[str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        at, _, signed = self.headers["X-Recsvc-Signature"].partition(",v1=")
        right = hmac.new(SECRET, at.removeprefix("t=").encode() + b"." + body, hashlib.sha256).hexdigest()
        status = self.statuses.pop(0) if self.statuses else 200
        status = status if hmac.compare_digest(signed, right) else 401
        self.keys.append(self.headers["Idempotency-Key"])
        if status == 200:
            self.taken += json.loads(body)["messages"]
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, type[Receiver]]]:
    class Mine(Receiver):
        """With lists of its own."""

    Mine.statuses, Mine.taken, Mine.keys = [], [], []
    server = HTTPServer(("127.0.0.1", 0), Mine)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", Mine
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def store(engine: sa.Engine) -> CampaignStore:
    store = CampaignStore(engine)
    store.begin(Launch("spring", "b", {}, NOW, NOW, NOW + timedelta(days=9)))
    told = {"text": "10 % off", "code": None, "valid_until": "2026-02-01", "eligible_item_ids": []}
    details = {"offer": told, "products": [], "text": "come back"}
    members = [Member(f"c{n}", "contacted", "high_lost", "ten", "email", NOW, f"s{n}", details) for n in range(MEMBERS)]
    store.add("spring", [*members, Member("out", "held_out", "high_lost", "ten")])
    store.launch("spring", at=NOW)
    return store


def push(store: CampaignStore, url: str, kept: list[object], paused: list[float]) -> Pushed:
    sender = partial(post, target_of(url, ["127.0.0.1"]))
    pusher = Pusher(store, SECRET, sender, paused.append, lambda: NOW, kept.extend)
    return pusher.push(store.get("spring"), Gate(ContactFacts(), None))


def test_every_message_arrives_once_signed_and_nobody_held_out(
    store: CampaignStore, receiver: tuple[str, type[Receiver]]
) -> None:
    url, mine = receiver

    first = push(store, url, [], [])
    again = push(store, url, [], [])

    assert (first.taken, first.before, first.failed) == (MEMBERS, 0, 0)
    assert (again.taken, again.before, again.failed) == (0, MEMBERS, 0)
    assert [row["customer_id"] for row in mine.taken] == [f"c{n}" for n in range(MEMBERS)]


def test_a_receiver_that_is_busy_is_asked_again_under_the_same_key(
    store: CampaignStore, receiver: tuple[str, type[Receiver]]
) -> None:
    url, mine = receiver
    mine.statuses[:] = [503, 429]
    paused: list[float] = []

    result = push(store, url, [], paused)

    assert (result.taken, paused) == (MEMBERS, [1.0, 2.0])
    assert len(set(mine.keys[:3])) == 1
    assert len(mine.taken) == MEMBERS


@pytest.mark.parametrize(("status", "asked"), [(400, 1), (500, TRIES)])
def test_what_is_refused_is_kept_and_goes_with_the_next_push(
    store: CampaignStore, receiver: tuple[str, type[Receiver]], status: int, asked: int
) -> None:
    url, mine = receiver
    mine.statuses[:] = [status] * asked
    kept: list[object] = []

    first = push(store, url, kept, [])
    again = push(store, url, [], [])

    assert (first.taken, first.failed, len(kept)) == (MEMBERS - AT_ONCE, AT_ONCE, AT_ONCE)
    assert str(status) in first.said
    assert (again.taken, again.before) == (AT_ONCE, MEMBERS - AT_ONCE)
    assert len({row["customer_id"] for row in mine.taken}) == len(mine.taken) == MEMBERS


def test_a_receiver_that_is_not_there_loses_nothing(store: CampaignStore) -> None:
    kept: list[object] = []

    result = push(store, "http://127.0.0.1:9/hook", kept, [])

    assert (result.taken, result.failed, len(kept)) == (0, MEMBERS, MEMBERS)


@pytest.mark.parametrize(
    ("url", "allowed", "why"),
    [
        ("https://mail.example/hook", [], "not in RECSVC_WEBHOOK_HOSTS"),
        ("ftp://mail.example/hook", ["mail.example"], "no address like"),
        ("https://me:pass@mail.example/", ["mail.example"], "no address like"),
        ("http://localhost/hook", ["localhost"], "private address"),
        ("https://127.0.0.1/hook", ["mail.example"], "not in RECSVC_WEBHOOK_HOSTS"),
        ("https://169.254.169.254/latest", ["mail.example"], "not in RECSVC_WEBHOOK_HOSTS"),
        ("http://10.0.0.7/hook", ["10.0.0.7"], "use https"),
    ],
)
def test_messages_go_nowhere_else(url: str, allowed: list[str], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        target_of(url, allowed)
