"""A run that fails, is killed, or meets another one leaves nothing behind and takes nothing away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from recsvc.bundle import store as store_module
from recsvc.bundle.store import BundleStore
from recsvc.errors import BundleNotFound

ROOT = Path(__file__).parents[2]
HANGING = """
import sys, time
from pathlib import Path
from recsvc.bundle.store import BundleStore
with BundleStore(Path(sys.argv[1])).staging() as staged:
    (staged / "half a file").write_text("x")
    print("staged", flush=True)
    time.sleep(60)
"""


def stage_and_fail(store: BundleStore) -> None:
    with store.staging() as staged:
        (staged / "half a file").write_text("x")
        raise ZeroDivisionError


def staged_folders(store: BundleStore) -> list[Path]:
    return list(store.root.glob(".staging-*"))


def test_a_failing_run_leaves_no_folder_and_the_live_bundle(store: BundleStore) -> None:
    live = store.current_id()

    with pytest.raises(ZeroDivisionError):
        stage_and_fail(store)

    assert staged_folders(store) == []
    assert store.current_id() == live


def test_what_a_killed_run_left_is_swept_and_what_a_living_one_has_is_not(store: BundleStore) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HANGING, str(store.root)], stdout=subprocess.PIPE, cwd=ROOT
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"staged\n"
        with store.staging():
            assert len(staged_folders(store)) == 2
        os.kill(running.pid, signal.SIGKILL)
    assert len(staged_folders(store)) == 1

    with store.staging() as staged:
        assert staged_folders(store) == [staged]


def test_a_run_that_starts_while_another_publishes_leaves_its_folder_alone(
    store: BundleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run starts in the moment the first has digested its files and syncs them."""
    manifest = store.current().manifest
    report = (store.current().path / "report.json").read_bytes()
    other = BundleStore(store.root)
    sync, intruders = store_module.sync, []

    def interrupted(path: Path) -> None:
        sync(path)
        if not intruders:
            intruders.append(threading.Thread(target=lambda: other.staging().__enter__().exists()))
            intruders[0].start()
            intruders[0].join(timeout=1)

    monkeypatch.setattr(store_module, "sync", interrupted)
    with store.staging() as staged:
        (staged / "report.json").write_bytes(report)
        added = store.add(staged, manifest.model_copy(update={"files": {}}))
    intruders[0].join()

    assert store.verify(added.manifest.bundle_id).path.is_dir()


def test_a_staged_folder_is_no_bundle(store: BundleStore) -> None:
    with store.staging() as staged:
        (staged / "manifest.json").write_bytes((store.current().path / "manifest.json").read_bytes())

        assert len(store.bundles()) == 1
        with pytest.raises(BundleNotFound):
            store.activate(staged.name)
