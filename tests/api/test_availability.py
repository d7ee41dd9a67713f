from __future__ import annotations

from pathlib import Path

import pytest

from recsvc.store.availability import AvailabilityStore, Offer
from tests.service import Service, serving


def put(service: Service, *items: object) -> tuple[int, object]:
    reply = service.client.put("/v1/items/availability", json={"items": items}, headers={"X-API-Key": service.key})
    return reply.status_code, reply.json


def test_what_is_put_is_kept_and_putting_it_again_changes_nothing(tmp_path: Path, store_url: str) -> None:
    items = [{"item_id": "a", "available": False}, {"item_id": "b", "available": True, "price": 1.15}]
    with serving(tmp_path, store_url=store_url) as service:
        replies = [put(service, *items), put(service, *items)]
        kept = AvailabilityStore(service.keys.engine).changed_after(0)[1]

    assert replies == [(200, {"changed": 2, "unchanged": 0}), (200, {"changed": 0, "unchanged": 2})]
    assert kept == (Offer("a", False), Offer("b", True, 115))


@pytest.mark.parametrize(
    "wrong", [{"item_id": "a"}, {"item_id": "a", "available": "no"}, {"item_id": "a", "available": True, "price": -1}]
)
def test_one_item_that_is_wrong_stops_all(service: Service, wrong: object) -> None:
    status, _ = put(service, {"item_id": "b", "available": False}, wrong)

    assert status == 422
    assert AvailabilityStore(service.keys.engine).changed_after(0) == (0, ())
