from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from recsvc.errors import ConfigError
from recsvc.store.engine import StoreUnavailable, is_reachable, open_store
from recsvc.store.schema import SCHEMA_VERSION, schema_version


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'new' / 'live.sqlite'}"


def test_a_new_store_gets_folder_tables_and_version(tmp_path: Path) -> None:
    engine = open_store(url_in(tmp_path))

    with engine.connect() as connection:
        versions = connection.scalars(sa.select(schema_version.c.version)).all()
    assert versions == [SCHEMA_VERSION]
    assert set(sa.inspect(engine).get_table_names()) == {"schema_version", "api_keys"}
    engine.dispose()


def test_a_store_may_be_opened_by_many_at_the_same_moment(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(open_store, [url_in(tmp_path)] * 8))

    assert all(is_reachable(engine) for engine in engines)
    for engine in engines:
        engine.dispose()


def test_a_store_that_somebody_locks_while_it_is_made_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsvc.store.engine.SQLITE_PRAGMAS", ("busy_timeout=1",))
    engine = open_store(url_in(tmp_path))
    with engine.begin() as connection:
        connection.execute(sa.delete(schema_version))
    engine.dispose()

    with closing(sqlite3.connect(tmp_path / "new" / "live.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="OperationalError"):
            open_store(url_in(tmp_path))


def test_a_store_of_a_later_release_is_refused(tmp_path: Path) -> None:
    engine = open_store(url_in(tmp_path))
    with engine.begin() as connection:
        connection.execute(sa.insert(schema_version).values(version=SCHEMA_VERSION + 1))
    engine.dispose()

    with pytest.raises(ConfigError, match="RECSVC_STORE_URL"):
        open_store(url_in(tmp_path))


@pytest.mark.parametrize("url", ["nonsense", "oracle9://host/db", "postgresql+nodriver://host/db"])
def test_a_url_that_is_none_names_the_setting(url: str) -> None:
    with pytest.raises(ConfigError, match="RECSVC_STORE_URL"):
        open_store(url)


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "live.sqlite"
    path.write_text("not a database at all" * 100)

    with pytest.raises(StoreUnavailable, match="DatabaseError"):
        open_store(f"sqlite:///{path}")
