"""The connection to the live data, and the schema it must have.

SQLite by default (one host; WAL so that readers never wait, synchronous=FULL so that a commit survives
a power cut), PostgreSQL by URL. The engine is opened after fork, once a process.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import SQLITE_FULL
from sqlite3 import Connection as SqliteConnection

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from recsvc.errors import ConfigError, RecsvcError
from recsvc.store.migrations import upgrade
from recsvc.store.schema import SCHEMA_VERSION, schema_version

SQLITE_PRAGMAS = ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
CONNECT_SECONDS = 5  # a host that swallows packets must not hold a request for minutes
DISK_FULL = "its disk is full"
POSTGRES_DISK_FULL = "53100"
WRITERS_LOCK = 7_267_118_310  # of PostgreSQL, held by whoever writes; any number nobody else locks


@dataclass
class StoreUnavailable(RecsvcError):
    """The live data cannot be reached just now."""

    problem: str
    code = "store_unavailable"

    def __str__(self) -> str:
        return f"the live store does not answer ({self.problem}); see RECSVC_STORE_URL, and whether it runs"


def open_store(url: str) -> sa.Engine:
    """Engine on the live store, its schema made or brought up to date.

    Raises
    ------
    ConfigError
        If the URL cannot be used, or the store was written by a later release.
    StoreUnavailable
        If the database does not answer.
    """
    engine = _engine(url)
    try:
        with _one_maker_at_a_time(engine):
            if _version(engine) < SCHEMA_VERSION:
                with writing(engine) as connection:
                    upgrade(connection)
    except RecsvcError:
        engine.dispose()
        raise
    return engine


@contextmanager
def reaching(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that reads; what the database complains of becomes `StoreUnavailable`."""
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise StoreUnavailable(DISK_FULL if _is_full(error) else type(error).__name__) from error


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that writes, one at a time over all processes, durable once the block has ended.

    So what one reads in it nobody changes, and rows become visible in the order of their sequence numbers.
    """
    with reaching(engine.execution_options(writes=True)) as connection:
        yield connection


def is_reachable(engine: sa.Engine) -> bool:
    """Whether the database answers a trivial question."""
    try:
        with reaching(engine) as connection:
            connection.execute(sa.select(1))
    except StoreUnavailable:
        return False
    return True


def _is_full(error: SQLAlchemyError) -> bool:
    cause = getattr(error, "orig", None)
    full_sqlite = getattr(cause, "sqlite_errorcode", None) == SQLITE_FULL
    return full_sqlite or getattr(cause, "sqlstate", None) == POSTGRES_DISK_FULL


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "postgresql" and "connect_timeout" not in parsed.query:
            parsed = parsed.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
        engine = sa.create_engine(parsed, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    except (SQLAlchemyError, ImportError) as error:
        fix = "give a SQLAlchemy URL; PostgreSQL needs recsvc[postgres]"
        raise ConfigError("RECSVC_STORE_URL", f"cannot be used ({error})", fix) from None
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        sa.event.listen(engine, "connect", _set_pragmas)
    sa.event.listen(engine, "begin", _begin)
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
    connection.isolation_level = None  # transactions begin in `_begin`, and not when the driver thinks they should
    for pragma in SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    if connection.dialect.name == "sqlite":
        # A transaction that read before it writes could not wait for another writer, whatever the timeout.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
    elif connection.dialect.name == "postgresql" and writes:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITERS_LOCK)))


def _version(engine: sa.Engine) -> int:
    """Number of the last step that made the store, 0 for a new one."""
    with reaching(engine) as connection:
        if not sa.inspect(connection).has_table(schema_version.name):
            return 0
        found = connection.scalar(sa.select(sa.func.max(schema_version.c.version))) or 0
    if found > SCHEMA_VERSION:
        problem = f"the store has schema {found}, this release knows {SCHEMA_VERSION}"
        raise ConfigError("RECSVC_STORE_URL", problem, "use the release that wrote it, or a later one")
    return int(found)
