from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from recsvc.bundle.store import BundleStore
from tests.trained import Trained


@pytest.fixture
def store(trained: Trained, tmp_path: Path) -> BundleStore:
    """A store of one live bundle, a copy that may be damaged."""
    shutil.copytree(trained.artifacts, tmp_path / "artifacts")
    return BundleStore(tmp_path / "artifacts")
