"""The aggregation engine of one training run: DuckDB behind Ibis, out of core, gone when the run is over.

Only this module and `sources` know that it is DuckDB; cleaning and summaries are plain Ibis.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend
from ibis.expr.types import Table

from recsvc.errors import ConfigError, DataError
from training.config import TrainingConfig


@dataclass(frozen=True, slots=True)
class Session:
    """A backend with a folder of its own, and a supply of table names."""

    backend: Backend
    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_name(self, stem: str) -> str:
        """Name no other table of the session has."""
        return f"{stem}_{next(self._numbers)}"

    def store(self, stem: str, expression: Table) -> Table:
        """Compute an expression once and keep the result as a table, on disk where it does not fit."""
        return self.backend.create_table(self.new_name(stem), expression)

    def stream(self, expression: Table, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of an expression, in its order, at most `size` at a time; never all of them in memory."""
        yield from self.backend.con.cursor().sql(ibis.to_sql(expression)).to_arrow_reader(size)

    def drop(self, table: Table) -> None:
        """Forget a stored table."""
        self.backend.raw_sql(f'DROP TABLE "{table.op().name}"')


@contextmanager
def open_session(config: TrainingConfig) -> Iterator[Session]:
    """Open the engine within the limits of `config.engine`, and remove every trace of it afterwards.

    Raises
    ------
    ConfigError
        The temporary folder cannot be used.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="recsvc-train-", dir=config.engine.temp_dir)
    except OSError as error:
        raise ConfigError("engine.temp_dir", f"cannot be used: {error.strerror}", "name a writable folder") from error
    with folder as name:
        backend = _connect(Path(name), config)
        try:
            yield Session(backend, Path(name))
        finally:
            backend.disconnect()


def _connect(folder: Path, config: TrainingConfig) -> Backend:
    backend = ibis.duckdb.connect(
        folder / "tables.duckdb",
        temp_directory=str(folder / "spill"),
        memory_limit=config.engine.memory_limit,
        threads=config.engine.threads,
    )
    backend.raw_sql(f"SET TimeZone = '{config.timezone}'")
    backend.raw_sql("SET enable_progress_bar = false")
    return backend


@contextmanager
def engine_errors_as_data_errors(where: str, fix: str = "") -> Iterator[None]:
    """Turn what the engine says about a file into our sentence: its first line, without its SQL."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise ConfigError("engine.memory_limit", _told(error), "raise it, or lower engine.threads") from error
    except duckdb.Error as error:
        raise DataError(where, _told(error), fix) from error


def _told(error: duckdb.Error) -> str:
    """What happened and where; not the engine's advice about its own options, and not the user's line."""
    first, *others = str(error).splitlines()
    where = [line for line in others if line.startswith(("Expected Number", "Invalid unicode", "Value with"))]
    return " ".join([first.partition("Error: ")[2] or first, *where]).strip()
