"""A bundle in which one byte is another one: found, refused, and the one before keeps serving."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsvc.cli.main import main
from recsvc.serving.reload import LiveRecommender
from tests.running import run
from tests.trained import Trained, with_another


def test_a_flipped_byte_in_any_file_is_found_and_the_old_bundle_stays(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = with_another(trained, tmp_path / "artifacts")
    (new,) = (one for one in store.bundles() if one.manifest.bundle_id != trained.bundle_id)
    live = LiveRecommender(store.root)
    missed = []

    for path in sorted(new.path.iterdir()):
        whole = path.read_bytes()
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        for command in ("verify", "activate"):
            ended = run(capsys, main, "bundles", command, new.path.name, "--artifacts", store.root)
            if ended.code != 2 or new.path.name not in ended.one_line_error():
                missed.append((command, path.name))
        live.refresh()
        path.write_bytes(whole)

    assert missed == []
    assert (live.current().bundle_id, live.status().problem) == (trained.bundle_id, None)
    assert run(capsys, main, "bundles", "activate", new.path.name, "--artifacts", store.root).code == 0
