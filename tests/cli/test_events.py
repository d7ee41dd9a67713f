from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from recsvc.cli.main import main
from recsvc.store.engine import open_store
from recsvc.store.events import Event, EventStore
from tests.running import run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENTS = [
    Event("e1", "007", "purchase", NOW, "00/jam", {"quantity": 2.0, "price": 1.5, "order_id": "0815"}),
    Event("e2", "zoë 🛒", "view", NOW, "tea"),
    Event("e3", "007", "feedback", NOW, None, {"topic": "csat", "score": 4.0, "text": 'two\nlines, "quoted"'}),
]


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """Folder whose live store holds the events."""
    engine = open_store(f"sqlite:///{tmp_path / 'full' / 'live.sqlite'}")
    EventStore(engine).add(EVENTS, received_at=NOW)
    engine.dispose()
    return tmp_path / "full"


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_what_is_exported_can_be_imported_elsewhere_and_counts_once(
    artifacts: Path, tmp_path: Path, ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, other = tmp_path / f"events.{ending}", tmp_path / "other"

    exported = run(capsys, main, "events", "export", file, "--artifacts", artifacts)
    first = run(capsys, main, "events", "import", file, "--artifacts", other)
    again = run(capsys, main, "events", "import", file, "--artifacts", other)

    engine = open_store(f"sqlite:///{other / 'live.sqlite'}")
    kept = list(EventStore(engine).all())
    engine.dispose()
    assert (exported.code, first.code, again.code) == (0, 0, 0)
    assert kept == EVENTS
    assert first.out == "accepted 3, there before 0, rejected 0\n"
    assert again.out == "accepted 0, there before 3, rejected 0\n"


def test_rows_that_are_wrong_are_told_and_the_others_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "events.csv"
    rows = ["e1,view,007,2026-03-01T12:00:00Z,tea", "e2,view,007,yesterday,tea", "e3,view,007,2026-03-01T12:00:00Z,"]
    file.write_text("\n".join(["event_id,kind,customer_id,occurred_at,item_id", *rows]))

    ended = run(capsys, main, "events", "import", file, "--artifacts", tmp_path)

    assert ended.out == "accepted 1, there before 0, rejected 2\n"
    assert ended.err.splitlines() == [
        "row 2: occurred_at: Input should be a valid datetime",
        "row 3: view needs item_id",
    ]


@pytest.mark.parametrize("name", ["missing.csv", "events.xlsx"])
def test_a_file_that_cannot_be_read_is_the_callers_mistake(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = run(capsys, main, "events", "import", tmp_path / name, "--artifacts", tmp_path)

    assert ended.code == 2
    assert name in ended.one_line_error()
