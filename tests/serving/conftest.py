from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from recsvc.bundle.manifest import MANIFEST
from recsvc.bundle.reader import REPORT
from recsvc.bundle.store import BundleStore
from tests.trained import Trained

Publish = Callable[..., str]


@pytest.fixture
def empty_store(tmp_path: Path) -> BundleStore:
    return BundleStore(tmp_path / "artifacts")


@pytest.fixture
def publish(trained: Trained, empty_store: BundleStore) -> Publish:
    """Publishes the trained bundle with another note, after `damage` of its staged files if asked for."""

    def publish_copy(note: str, damage: Callable[[Path], None] | None = None) -> str:
        source = trained.store.current()
        with empty_store.staging() as staged:
            for name in source.manifest.files:
                shutil.copyfile(source.path / name, staged / name)
            (staged / REPORT).write_text(f'{{"note": "{note}"}}')
            if damage:
                damage(staged)
            added = empty_store.add(staged, source.manifest.model_copy(update={"files": {}}))
        assert (added.path / MANIFEST).is_file()
        return empty_store.activate(added.manifest.bundle_id).manifest.bundle_id

    return publish_copy
