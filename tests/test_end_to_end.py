"""The whole way: orders, `recsvc-train fit`, `recsvc serve` with gunicorn, a real socket, a swap under way."""

from __future__ import annotations

import shutil
import sys
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsvc.bundle.store import BundleStore
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query
from tests.live_service import LiveService, live_service
from tests.purchases import unseen_purchases
from tests.trained import NOW, Trained, train

OLD_IS_FINE = "RECSVC_MAX_BUNDLE_AGE_DAYS=36500"  # the moment our bundle was made is fixed
RECSVC = ["env", OLD_IS_FINE, sys.executable, "-c", "from recsvc.cli.main import main; main()"]


@pytest.fixture(scope="module")
def artifacts(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "artifacts"
    shutil.copytree(trained.artifacts, folder)
    return folder


@pytest.fixture(scope="module")
def live(artifacts: Path) -> Iterator[LiveService]:
    with live_service(RECSVC, artifacts) as running:
        yield running


def test_the_service_answers_what_the_recommender_answers(
    live: LiveService, recommender: Recommender, everybody: list[str]
) -> None:
    replies = live.post("/v1/recommendations", {"customer_ids": everybody[:50], "k": 5})["slates"]

    slates = recommender.recommend_many([Query(one, k=5) for one in everybody[:50]], now=NOW)
    assert [[(i["item_id"], i["score"]) for i in reply["items"]] for reply in replies] == [
        [(i.item_id, i.score) for i in slate.items] for slate in slates
    ]
    assert all(item["title"] and item["reasons"] for reply in replies for item in reply["items"])


def test_the_win_back_list_is_paged_and_each_customer_on_it_has_a_profile_and_a_slate(
    live: LiveService, recommender: Recommender
) -> None:
    first = live.get("/v1/win-back", limit=3)
    second = live.get("/v1/win-back", limit=3, cursor=first["next_cursor"])

    shown = [row["customer_id"] for page in (first, second) for row in page["customers"]]
    assert shown == recommender.bundle.customer_table["customer_id"].to_pylist()[:6]
    for customer_id in shown:
        assert live.get(f"/v1/customers/{customer_id}")["customer"]["win_back_rank"] == shown.index(customer_id) + 1
        assert live.get(f"/v1/customers/{customer_id}/recommendations")["strategy"] == "personal"


def test_an_empty_page_of_the_win_back_list_is_a_page(live: LiveService) -> None:
    assert live.get("/v1/win-back", state="new")["customers"] == []


def test_a_stranger_gets_what_is_popular(live: LiveService) -> None:
    reply = live.get("/v1/recommendations", customer_id="nobody/we know 🛒", k=3)

    assert (reply["strategy"], reply["customer"], len(reply["items"])) == ("popular", None, 3)


def test_items_have_neighbours_and_unknown_ones_are_not_found(live: LiveService, recommender: Recommender) -> None:
    item_id = recommender.bundle.items.ids.id(0)

    assert len(live.get(f"/v1/items/{item_id}/similar", k=4)["items"]) == 4
    with pytest.raises(urllib.error.HTTPError, match="404"):
        live.get("/v1/items/no-such/similar")


def test_a_bundle_trained_meanwhile_is_taken_up_by_every_worker(
    live: LiveService, trained: Trained, artifacts: Path
) -> None:
    quick = {"horizon_days": 700, "als__iterations": 1}
    new = train(trained.config_file, artifacts, as_of="2025-06-01", **quick).bundle_id
    assert BundleStore(artifacts).current_id() == new

    deadline = time.monotonic() + 20
    while (seen := {_served(live) for _ in range(12)}) != {new} and time.monotonic() < deadline:
        time.sleep(0.1)

    assert seen == {new}


def _served(live: LiveService) -> str:
    return str(live.get("/v1/recommendations", customer_id="x", k=1)["bundle_id"])


def test_every_purchase_is_known_to_the_next_answer_of_either_worker(
    live: LiveService, recommender: Recommender, everybody: list[str]
) -> None:
    items = [recommender.bundle.items.ids.id(row) for row in range(recommender.bundle.items.n_catalogue)]

    unseen = unseen_purchases([live], [*everybody[-40:], "newcomer 🛒"], items, pairs=50, seed=7)

    assert unseen == []
