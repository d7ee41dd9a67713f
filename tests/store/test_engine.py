from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from recsvc.errors import ConfigError
from recsvc.store.engine import StoreUnavailable, is_reachable, open_store
from recsvc.store.key_ring import KeyRing
from recsvc.store.keys import KeyStore
from recsvc.store.schema import SCHEMA_VERSION, metadata, schema_version

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'new' / 'live.sqlite'}"


def tables_of(engine: sa.Engine) -> dict[str, list[tuple[str, bool]]]:
    """Columns of every table but alembic's own, each with whether it may be missing."""
    found = sa.inspect(engine)
    names = set(found.get_table_names()) - {"alembic_version"}
    return {name: [(one["name"], one["nullable"]) for one in found.get_columns(name)] for name in names}


def test_the_migrations_lead_to_the_tables_that_the_schema_names(store_url: str) -> None:
    engine = open_store(store_url)

    with engine.connect() as connection:
        version = connection.scalar(sa.select(sa.func.max(schema_version.c.version)))
    assert version == SCHEMA_VERSION
    assert tables_of(engine) == {
        table.name: [(column.name, bool(column.nullable)) for column in table.columns]
        for table in metadata.sorted_tables
    }
    engine.dispose()


def test_a_filled_store_from_before_there_were_migrations_is_brought_up_to_date(store_url: str) -> None:
    old = open_store(store_url)
    plaintext, key = KeyStore(old).create("storefront", ["read"], created_at=NOW)
    with old.begin() as connection:
        for name in set(tables_of(old)) - {"schema_version", "api_keys"} | {"alembic_version"}:
            connection.execute(sa.text(f"DROP TABLE {name}"))
        connection.execute(sa.delete(schema_version))
        connection.execute(sa.insert(schema_version).values(version=1))
    old.dispose()

    engine = open_store(store_url)

    assert KeyStore(engine).list() == (key,)
    assert KeyRing(KeyStore(engine)).identify(plaintext).key_id == key.key_id
    assert set(tables_of(engine)) == {table.name for table in metadata.sorted_tables}
    engine.dispose()


def test_a_store_may_be_opened_by_many_at_the_same_moment(store_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(open_store, [store_url] * 8))

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
    engine.dispose()  # so that it will be made again

    with closing(sqlite3.connect(tmp_path / "new" / "live.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="OperationalError"):
            open_store(url_in(tmp_path))


def test_a_store_of_a_later_release_is_refused(store_url: str) -> None:
    engine = open_store(store_url)
    with engine.begin() as connection:
        connection.execute(sa.insert(schema_version).values(version=SCHEMA_VERSION + 1))
    engine.dispose()

    with pytest.raises(ConfigError, match="RECSVC_STORE_URL"):
        open_store(store_url)


@pytest.mark.parametrize("url", ["nonsense", "oracle9://host/db", "postgresql+nodriver://host/db"])
def test_a_url_that_is_none_names_the_setting(url: str) -> None:
    with pytest.raises(ConfigError, match="RECSVC_STORE_URL"):
        open_store(url)


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "live.sqlite"
    path.write_text("not a database at all" * 100)

    with pytest.raises(StoreUnavailable, match="DatabaseError"):
        open_store(f"sqlite:///{path}")
