from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recsvc.bundle.store import CURRENT, BundleStore
from recsvc.errors import BundleNotLive
from tests.service import Service, serving
from tests.trained import Trained, with_another


@pytest.fixture
def store(trained: Trained, tmp_path: Path) -> BundleStore:
    """Two bundles; the earlier one is live."""
    return with_another(trained, tmp_path / "artifacts")


@pytest.fixture
def service(store: BundleStore) -> Iterator[Service]:
    with serving(store.root) as made:
        yield made


def test_bundles_are_listed_the_newest_first_with_the_live_one(service: Service, store: BundleStore) -> None:
    earlier, later = (one.manifest.bundle_id for one in store.bundles())

    found = service.get("/v1/bundles").json["bundles"]

    assert [(one["bundle_id"], one["live"]) for one in found] == [(later, False), (earlier, True)]
    assert service.get(f"/v1/bundles/{earlier}").json == found[1]


def test_one_is_made_live_and_left_once_however_often_that_is_sent(service: Service, store: BundleStore) -> None:
    earlier, later = (one.manifest.bundle_id for one in store.bundles())

    made_live = service.post(f"/v1/bundles/{later}/activate")
    back = service.post("/v1/bundles/rollback", json={"leave": later})
    again = service.post("/v1/bundles/rollback", json={"leave": later})
    no_further = service.post("/v1/bundles/rollback", json={"leave": earlier})

    assert (made_live.json["bundle_id"], made_live.json["live"]) == (later, True)
    assert (back.json["bundle_id"], back.json["live"], store.current_id()) == (earlier, True, earlier)
    assert (again.status_code, again.json["code"]) == (409, "bundle_not_live")
    assert (no_further.status_code, no_further.json["code"]) == (404, "unknown_bundle")


def test_two_who_leave_the_same_bundle_at_once_go_back_once(store: BundleStore) -> None:
    earlier, later = (one.manifest.bundle_id for one in store.bundles())
    store.activate(later)

    with ThreadPoolExecutor(4) as pool:
        left = [pool.submit(store.rollback, later) for _ in range(4)]

    assert [one.result().manifest.bundle_id for one in left if one.exception() is None] == [earlier]
    assert {type(one.exception()) for one in left} == {type(None), BundleNotLive}


@pytest.mark.parametrize("bundle_id", ["20250101-0123456789ab", "..", "HISTORY", "%2e%2e%2fetc", "x" * 500])
def test_what_is_no_bundle_is_not_found(service: Service, bundle_id: str) -> None:
    shown, activated = service.get(f"/v1/bundles/{bundle_id}"), service.post(f"/v1/bundles/{bundle_id}/activate")

    assert (shown.status_code, activated.status_code) == (404, 404)


def test_a_damaged_bundle_is_not_made_live(service: Service, store: BundleStore) -> None:
    earlier, later = (one.manifest.bundle_id for one in store.bundles())
    with (store.root / later / "items.parquet").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff\xfe")

    reply = service.post(f"/v1/bundles/{later}/activate")

    assert (reply.status_code, reply.json["code"]) == (503, "bundle_corrupt")
    assert (store.root / CURRENT).read_text().strip() == earlier
