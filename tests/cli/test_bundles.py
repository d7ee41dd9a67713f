from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recsvc.bundle.store import BundleStore
from recsvc.cli.main import main
from tests.running import Ended, run
from tests.trained import Trained, with_another

Bundles = Callable[..., Ended]


@pytest.fixture
def store(trained: Trained, tmp_path: Path) -> BundleStore:
    return with_another(trained, tmp_path / "artifacts")


@pytest.fixture
def bundles(store: BundleStore, capsys: pytest.CaptureFixture[str]) -> Bundles:
    return lambda *arguments: run(capsys, main, "bundles", *arguments, "--artifacts", store.root)


def other_than_live(store: BundleStore) -> str:
    return next(b.manifest.bundle_id for b in store.bundles() if b.manifest.bundle_id != store.current_id())


def test_list_tells_which_is_live(bundles: Bundles, trained: Trained, store: BundleStore) -> None:
    rows = json.loads(bundles("list", "--json").out)

    assert [(row["bundle_id"], row["live"]) for row in rows] == [
        (trained.bundle_id, True),
        (other_than_live(store), False),
    ]
    assert rows[0]["customers"] == trained.outcome.manifest.shapes.customers
    assert rows[0]["gate"] == "passed"
    assert bundles("list").code == 0


def test_a_new_store_lists_nothing_and_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = run(capsys, main, "bundles", "list", "--artifacts", tmp_path / "new")

    assert ended.code == 0
    assert "recsvc-train fit" in ended.out


def test_activate_rollback_and_prune(bundles: Bundles, store: BundleStore, trained: Trained) -> None:
    other = other_than_live(store)

    assert bundles("activate", other).out == f"live: {other}\n"
    assert store.current_id() == other
    assert bundles("rollback").out == f"live: {trained.bundle_id}\n"
    assert store.current_id() == trained.bundle_id
    assert bundles("activate", other).code == 0
    assert bundles("prune", "--keep", 1).out == f"deleted {trained.bundle_id}\n"
    assert bundles("prune", "--keep", 1).out == ""
    assert bundles("rollback").code == 2


def test_show_is_the_manifest_of_the_live_one_or_of_the_one_named(bundles: Bundles, store: BundleStore) -> None:
    assert json.loads(bundles("show").out)["bundle_id"] == store.current_id()
    other = other_than_live(store)
    assert json.loads(bundles("show", other).out)["bundle_id"] == other


def test_verify_names_the_file_that_is_damaged(bundles: Bundles, store: BundleStore) -> None:
    assert "is whole" in bundles("verify").out
    path = store.current().path / "ranker.json"
    path.write_bytes(path.read_bytes()[:-1] + b" ")

    ended = bundles("verify")

    assert ended.code == 2
    assert "ranker.json" in ended.one_line_error()


@pytest.mark.parametrize("command", ["activate", "show", "verify"])
@pytest.mark.parametrize("bundle_id", ["20200101-000000000000", "../artifacts", "x" * 5_000])
def test_a_bundle_that_is_not_there_is_one_clear_line_and_nothing_changes(
    bundles: Bundles, store: BundleStore, trained: Trained, command: str, bundle_id: str
) -> None:
    ended = bundles(command, bundle_id)

    assert ended.code == 2
    assert "no bundle" in ended.one_line_error()
    assert store.current_id() == trained.bundle_id
