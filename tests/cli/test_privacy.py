from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsvc.cli.main import main
from recsvc.store.engine import open_store
from recsvc.store.events import Event, EventStore
from tests.running import run
from tests.trained import Trained

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def artifacts(trained: Trained, tmp_path: Path) -> Path:
    shutil.copytree(trained.artifacts, tmp_path / "artifacts")
    return tmp_path / "artifacts"


def test_a_person_gets_all_that_is_held_and_is_then_forgotten(
    artifacts: Path, everybody: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    who = everybody[0]
    page = artifacts / "reports" / "some.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text(f"<td>{who}</td>", "utf-8")
    of_another = page.with_name("other.html")
    of_another.write_text(f"<td>{who}0</td>", "utf-8")
    engine = open_store(f"sqlite:///{artifacts / 'live.sqlite'}")
    EventStore(engine).add([Event("e1", who, "view", NOW, "I0000001")], received_at=NOW)
    engine.dispose()

    def ask(*words: object) -> str:
        ended = run(capsys, main, *words, "--artifacts", artifacts)
        assert ended.code == 0, ended.err
        return ended.out

    held = json.loads(ask("privacy", "export", who))
    receipt = json.loads(ask("privacy", "erase", who))
    after = json.loads(ask("recommend", who, "--json"))
    log = json.loads(ask("privacy", "log"))
    left = json.loads(ask("privacy", "export", who))
    ask("privacy", "tombstones", artifacts / "erased.json")

    assert held["profile"]["win_back_rank"] == 1
    assert len(held["orders"]) >= held["profile"]["orders"]
    assert [one["event_id"] for one in held["events"]] == ["e1"]
    assert (receipt["action"], receipt["counts"]) == ("erase", {"events": 1, "campaigns": 0, "coupons": 0, "pages": 1})
    assert not page.exists()
    assert of_another.exists()
    assert after["strategy"] == "popular"
    assert [one["action"] for one in log] == ["export", "erase"]
    assert who not in json.dumps(log)
    assert (left["profile"], left["events"], left["orders"]) == (None, [], [])
    assert len(json.loads((artifacts / "erased.json").read_text())["tombstones"]) == 1
    assert (artifacts / "erased.json").stat().st_mode & 0o077 == 0


def test_old_events_expire_with_a_receipt(artifacts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = open_store(f"sqlite:///{artifacts / 'live.sqlite'}")
    old = datetime(2001, 1, 1, tzinfo=UTC)
    EventStore(engine).add(
        [Event("e1", "7", "view", old, "tea"), Event("e2", "7", "view", datetime.now(UTC), "tea")], received_at=NOW
    )
    engine.dispose()

    ended = run(capsys, main, "privacy", "expire", "--events-older-than", "365", "--artifacts", artifacts)

    assert json.loads(ended.out)["counts"] == {"events": 1}
