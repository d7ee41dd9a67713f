"""Whether anything was committed since somebody last looked, as cheaply as the database can tell.

SQLite keeps a number for each connection that another connection's commit changes, whichever process it is in: reading
it costs microseconds and no transaction. Other databases have nothing like it, and are asked what one wants to know.
"""

from __future__ import annotations

from sqlite3 import Connection as SqliteConnection
from sqlite3 import Error as SqliteError
from threading import Lock
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from recsvc.store.engine import StoreUnavailable


class CommitWatch:
    """Tells commits apart; safe to share between threads, opened after fork.

    Raises
    ------
    StoreUnavailable
        If the database does not answer.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._lock = Lock()
        self._held: sa.PoolProxiedConnection | None = None
        if engine.dialect.name == "sqlite":
            try:
                self._held = engine.raw_connection()
            except SQLAlchemyError as error:
                raise StoreUnavailable(type(error).__name__) from error
            self._held.detach()

    def mark(self) -> int | None:
        """Return a number that is another one after every commit; None where the database cannot tell.

        Raises
        ------
        StoreUnavailable
            If the database does not answer.
        """
        if self._held is None:
            return None
        connection = cast(SqliteConnection, self._held.dbapi_connection)
        try:
            with self._lock:
                ((version,),) = connection.execute("PRAGMA data_version").fetchall()
        except SqliteError as error:
            raise StoreUnavailable(type(error).__name__) from error
        return int(version)

    def close(self) -> None:
        """Give the connection back; nobody may ask afterwards."""
        if self._held is not None:
            self._held.close()
            self._held = None
