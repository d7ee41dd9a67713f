from __future__ import annotations

from datetime import UTC, datetime

from recsvc.store.engine import open_store
from recsvc.store.events import Event, EventStore
from recsvc.store.watch import CommitWatch

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_only_a_commit_changes_the_mark_where_there_is_one(store_url: str) -> None:
    engine, other = open_store(store_url), open_store(store_url)
    watch = CommitWatch(engine)
    before = watch.mark()
    unchanged = watch.mark()

    EventStore(other).add([Event("e1", "anna", "view", NOW, "jam")], received_at=NOW)
    after = watch.mark()

    assert before == unchanged
    assert (before is None) == (engine.dialect.name == "postgresql")
    assert after is None or after != before
    watch.close()
    engine.dispose()
    other.dispose()
