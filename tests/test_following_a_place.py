"""A trainer that publishes to a place, and a real service elsewhere that follows it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from recsvc.bundle.remote import Publication, RemoteBundles
from recsvc.bundle.store import BundleStore
from recsvc.cli.main import main
from recsvc.serving.mirror import Mirror
from recsvc.settings import COPIES
from tests.live_service import live_service
from tests.running import run
from tests.trained import Trained, with_another
from training import trainer
from training.commands import program

RECSVC = [sys.executable, "-c", "from recsvc.cli.main import main; main()"]


def test_a_service_follows_what_is_published(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, folder = f"file://{tmp_path / 'place'}", tmp_path / "service"
    folder.mkdir()
    shop = with_another(trained, tmp_path / "shop")
    first, second = (bundle.path.name for bundle in shop.bundles())

    said = run(capsys, main, "bundles", "publish", first, "--to", place, "--artifacts", shop.root)
    command = ["env", "-C", str(folder), "RECSVC_MAX_BUNDLE_AGE_DAYS=36500", *RECSVC]
    with live_service(command, place) as live:
        before = live.get("/v1/recommendations", customer_id="nobody")
        run(capsys, main, "bundles", "publish", second, "--to", place, "--artifacts", shop.root)
        Mirror(RemoteBundles(place), BundleStore(folder / COPIES)).refresh()  # half a minute early
        while (after := live.get("/v1/recommendations", customer_id="nobody"))["bundle_id"] == first:
            pass

    assert said.out.startswith(f"live at {place}: {first}, publication 1")
    assert (before["bundle_id"], after["bundle_id"]) == (first, second)


def test_a_trainer_takes_up_what_is_live_first_and_publishes_after_it(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "LABEL_DAYS", 0)  # learning to rank takes half of a training, and is not the point
    place, folder = f"file://{tmp_path / 'place'}", BundleStore(tmp_path / "trainer")
    remote = RemoteBundles(place)
    remote.publish(trained.store.current(), after=0)

    run(capsys, program, "fit", trained.config_file, "--to", place, "--artifacts", folder.root)

    ours = folder.current_id()
    assert remote.latest() == Publication(2, ours)
    assert {bundle.path.name for bundle in folder.lived()} == {trained.bundle_id, ours}
