"""A disk that fills: events are refused, those acknowledged are there, questions are answered, room heals it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

import sqlalchemy as sa

from recsvc.store.engine import DISK_FULL
from recsvc.store.events import EventStore
from tests.faults.serving import shop_over
from tests.trained import NOW, Trained

ROOM_PAGES = 20  # SQLite answers SQLITE_FULL at its own limit as at the disk's
NOTE = "x" * 1_900


def test_events_are_refused_while_the_disk_is_full_and_none_acknowledged_is_lost(
    trained: Trained, tmp_path: Path
) -> None:
    with shop_over(trained.artifacts, f"sqlite:///{tmp_path / 'live.sqlite'}", NOW) as shop:
        limit = _page_limit(shop.store.engine)
        replies = []
        limit(_pages(shop.store.engine) + ROOM_PAGES)
        while not replies or replies[-1].get("accepted"):
            replies.append(shop.sends(note=NOTE))
        asked, ready = shop.asks(), shop.ready()
        kept = {event.event_id for event in EventStore(shop.store.engine).all()}
        limit(1_000_000)
        afterwards = shop.sends(note=NOTE)

    assert (replies[-1]["status"], replies[-1]["code"]) == (503, "store_unavailable")
    assert DISK_FULL in replies[-1]["detail"]
    assert kept == {f"e-{number + 1}" for number in range(len(replies) - 1)}
    assert len(kept) > 3
    assert (asked, ready) == ((200, None), (200, None))
    assert afterwards["accepted"] == 1


def _pages(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())


def _page_limit(engine: sa.Engine) -> Callable[[int], None]:
    """Set the limit of pages, which each connection holds for itself."""

    def limit(pages: int) -> None:
        def on_connect(connection: SqliteConnection, _record: object) -> None:
            connection.execute(f"PRAGMA max_page_count={pages}").close()

        engine.dispose()
        sa.event.listen(engine, "connect", on_connect)

    return limit
