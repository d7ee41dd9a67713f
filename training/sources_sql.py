"""A table from a database: the rows of a query, streamed into the engine as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import pyarrow as pa
from ibis.expr.types import Table
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from recsvc.errors import ConfigError, DataError
from training.session import Session

ROWS_AT_A_TIME = 50_000


def read_sql(session: Session, name: str, url: str, query: str) -> Table:
    """Copy the result of a query into the engine.

    Raises
    ------
    ConfigError
        The URL is not one, or its driver is not installed.
    DataError
        The database refuses; its own words, never the URL (it may hold a password).
    """
    table_name = session.new_name(f"raw_{name}")
    try:
        engine = create_engine(url)
    except (ArgumentError, ImportError, SQLAlchemyError) as error:
        fix = "use a form such as postgresql+psycopg://user@host/database, and install its driver"
        raise ConfigError(f"{name}.url", f"cannot be opened ({type(error).__name__})", fix) from error
    try:
        with engine.connect().execution_options(stream_results=True) as connection:
            result = connection.execute(text(query))
            columns = _different(name, list(result.keys()))
            _copy(session, table_name, columns, result.partitions(ROWS_AT_A_TIME))
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise DataError(f"{name}.query", f"the database says: {reason}", "correct the query or url") from error
    finally:
        engine.dispose()
    return session.backend.table(table_name)


def _different(name: str, columns: list[str]) -> list[str]:
    twice = [column for column in columns if columns.count(column) > 1]
    if twice:
        raise DataError(f"{name}.query", f"two columns are named {twice[0]!r}", "rename one with AS")
    return columns


def _copy(session: Session, table_name: str, columns: list[str], parts: Iterator[Sequence[Sequence[object]]]) -> None:
    session.backend.create_table(table_name, schema=dict.fromkeys(columns, "string"))
    for part in parts:
        arrays = [pa.array(map(_as_text, values), pa.string()) for values in zip(*part, strict=True)]
        session.backend.con.from_arrow(pa.table(arrays, names=columns)).insert_into(table_name)


def _as_text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
