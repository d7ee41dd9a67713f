from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recsvc.api.event_schemas import MAX_EVENTS, EventsReply
from recsvc.store.events import EventStore
from tests.fake_recommender import NOW
from tests.service import Service, serving


@pytest.fixture
def stored(tmp_path: Path, store_url: str) -> Iterator[Service]:
    """A service on either database."""
    with serving(tmp_path, store_url=store_url) as made:
        yield made


def purchase(number: int, **more: Any) -> dict[str, Any]:
    base = {"event_id": f"e{number}", "kind": "purchase", "customer_id": "anna", "item_id": "jam", "price": 2.5}
    return {**base, "occurred_at": NOW.isoformat(), **more}


def send(service: Service, *events: object) -> EventsReply:
    reply = service.post("/v1/events", json={"events": events})
    assert reply.status_code == 200, reply.json
    return EventsReply.model_validate_json(reply.data, strict=True)


def test_events_are_kept_and_what_is_sent_again_counts_once(stored: Service) -> None:
    first = send(stored, purchase(1), purchase(2))
    again = send(stored, purchase(2, customer_id="bert"), purchase(3))

    assert (first.accepted, first.duplicate, first.rejected) == (2, 0, [])
    assert (again.accepted, again.duplicate) == (1, 1)
    kept = list(EventStore(stored.keys.engine).all())
    assert [(one.event_id, one.customer_id) for one in kept] == [("e1", "anna"), ("e2", "anna"), ("e3", "anna")]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (purchase(1, price=None), "purchase needs price"),
        (purchase(1, kind="feedback"), "feedback needs topic"),
        (purchase(1, kind="theft"), "kind: Input should be"),
        (purchase(1, occurred_at="2026-03-01T12:00:00"), "occurred_at: Input should have timezone info"),
        (purchase(1, occurred_at=(NOW + timedelta(hours=2)).isoformat()), "more than an hour ahead"),
        (purchase(1, occurred_at="1969-12-31T00:00:00Z"), "occurred_at is before 1970"),
        (purchase(1, quantity=0), "quantity: Input should be greater than 0"),
        (purchase(1, customer_id="nul\0"), "customer_id: String should match pattern"),
        (purchase(1, event_id="x" * 201), "event_id: String should have at most 200 characters"),
        (purchase(1, colour="red"), "colour: Extra inputs are not permitted"),
        (None, "Input should be"),
    ],
)
def test_an_event_that_is_wrong_is_named_and_does_not_stop_the_others(
    service: Service, wrong: object, reason: str
) -> None:
    reply = send(service, purchase(7), wrong, purchase(8))

    assert reply.accepted + reply.duplicate == 2
    assert [one.index for one in reply.rejected] == [1]
    assert reason in reply.rejected[0].reason


def test_every_kind_is_kept_with_all_that_was_said_of_it(stored: Service) -> None:
    said = {
        "purchase": {"quantity": 2.0, "price": 1.5, "order_id": "007", "channel": "web"},
        "view": {},
        "cart": {"quantity": 1.0},
        "impression": {"slate_id": "s-1"},
        "click": {"slate_id": "s-1", "campaign_id": "spring"},
        "unsubscribe": {"channel": "email"},
        "feedback": {"topic": "csat", "score": 4.0, "text": "fine"},
    }

    events = [purchase(n, kind=kind, price=None) | more for n, (kind, more) in enumerate(said.items())]
    send(stored, *events)

    assert {one.kind: dict(one.details) for one in EventStore(stored.keys.engine).all()} == said


def test_a_batch_may_be_as_large_as_stated_and_no_larger(service: Service) -> None:
    just = service.post("/v1/events", json={"events": [purchase(number) for number in range(MAX_EVENTS)]})
    over = service.post("/v1/events", json={"events": [purchase(number) for number in range(MAX_EVENTS + 1)]})

    assert just.json["accepted"] == MAX_EVENTS
    assert (over.status_code, over.json["code"]) == (422, "invalid_request")


def test_events_want_the_scope_ingest(service: Service) -> None:
    reply = service.client.post("/v1/events", json={"events": [purchase(1)]}, headers={"X-API-Key": service.other_key})

    assert reply.status_code == 403


def test_no_customer_is_named_in_the_log(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        send(service, purchase(1, customer_id="somebody-in-particular"), purchase(2, price="somebody-in-particular"))

    assert "somebody-in-particular" not in caplog.text + "".join(str(record.__dict__) for record in caplog.records)
