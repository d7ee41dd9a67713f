"""The connection to the live data, and the schema it must have.

SQLite by default (one host; WAL so that readers never wait, synchronous=FULL so that a commit survives
a power cut), any SQLAlchemy URL otherwise. The engine is opened after fork, once a process.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from recsvc.errors import ConfigError, RecsvcError
from recsvc.store.schema import SCHEMA_VERSION, metadata, schema_version

SQLITE_PRAGMAS = ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


@dataclass
class StoreUnavailable(RecsvcError):
    """The live data cannot be reached just now."""

    problem: str
    code = "store_unavailable"

    def __str__(self) -> str:
        return f"the live store does not answer ({self.problem}); see RECSVC_STORE_URL, and whether it runs"


def open_store(url: str) -> sa.Engine:
    """Engine on the live store, its schema made when it is new.

    Raises
    ------
    ConfigError
        If the URL cannot be used, or the store was written by a later release.
    StoreUnavailable
        If the database does not answer.
    """
    engine = _engine(url)
    with _one_maker_at_a_time(engine):
        with reaching(engine) as connection:
            for table in metadata.sorted_tables:
                connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
        _agree_on_version(engine)
    return engine


@contextmanager
def reaching(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction; what the database complains of becomes `StoreUnavailable`."""
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise StoreUnavailable(type(error).__name__) from error


def is_reachable(engine: sa.Engine) -> bool:
    """Whether the database answers a trivial question."""
    try:
        with reaching(engine) as connection:
            connection.execute(sa.select(1))
    except StoreUnavailable:
        return False
    return True


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        engine = sa.create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    except (SQLAlchemyError, ImportError) as error:
        raise ConfigError("RECSVC_STORE_URL", f"cannot be used ({error})", "give a SQLAlchemy URL") from None
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        sa.event.listen(engine, "connect", _set_pragmas)
    return engine


@contextmanager
def _one_maker_at_a_time(engine: sa.Engine) -> Iterator[None]:
    """Hold the folder of an SQLite file: while one process turns WAL on, SQLite refuses others at once, timeout or not.

    The folder and not the file is locked, since closing any handle of the file would drop SQLite's own locks on it.
    """
    if engine.dialect.name != "sqlite" or not engine.url.database:
        yield
        return
    folder = os.open(Path(engine.url.database).parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _set_pragmas(connection: SqliteConnection, _record: object) -> None:
    for pragma in SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _agree_on_version(engine: sa.Engine) -> None:
    with reaching(engine) as connection:
        found = connection.scalar(sa.select(sa.func.max(schema_version.c.version)))
    if found is None:
        _write_version(engine)
    elif found > SCHEMA_VERSION:
        problem = f"the store has schema {found}, this release knows {SCHEMA_VERSION}"
        raise ConfigError("RECSVC_STORE_URL", problem, "use the release that wrote it, or a later one")


def _write_version(engine: sa.Engine) -> None:
    try:
        with engine.begin() as connection:
            connection.execute(sa.insert(schema_version).values(version=SCHEMA_VERSION))
    except IntegrityError:
        return  # another process made the same store at the same moment
    except SQLAlchemyError as error:
        raise StoreUnavailable(type(error).__name__) from error
