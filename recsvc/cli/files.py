"""Tables in and out of files: Parquet, CSV and JSON lines by the file's ending; ids stay text."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import orjson
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from recsvc.errors import DataError

Write = Callable[[IO[bytes], pa.Schema, Iterable[pa.Table]], int]


def read_customer_ids(path: Path) -> list[str]:
    """Ids in the `customer_id` column of a CSV or Parquet file, each once, in the order of the file.

    Raises
    ------
    DataError
        If the file cannot be read, or has no such column.
    """
    try:
        table = pq.read_table(path) if path.suffix == ".parquet" else _read_csv(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(str(path), f"cannot be read ({str(error).splitlines()[0]})", "give CSV or Parquet") from error
    if "customer_id" not in table.column_names:
        found = ", ".join(table.column_names)
        raise DataError(str(path), f"has no column customer_id, only {found}", "rename the column")
    ids = table["customer_id"].cast(pa.string()).drop_null().to_pylist()
    return list(dict.fromkeys(ids))


def write_tables(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Write tables one behind the other; the file appears whole or not at all. Returns the number of rows.

    Raises
    ------
    DataError
        If the ending is not one we write, or the folder cannot be written to.
    """
    write = WRITERS.get(path.suffix)
    if write is None:
        raise DataError(str(path), "is a kind of file we do not write", "end it in .parquet, .csv or .jsonl")
    try:
        with _scratch_beside(path) as scratch:
            rows = write(scratch, schema, tables)
    except OSError as error:
        raise DataError(str(path), f"cannot be written ({error.strerror})", "name another place") from error
    Path(scratch.name).chmod(0o666 & ~_umask())
    Path(scratch.name).replace(path)
    return rows


def _read_csv(path: Path) -> pa.Table:
    return pacsv.read_csv(path, convert_options=pacsv.ConvertOptions(column_types={"customer_id": pa.string()}))


def _write_parquet(target: IO[bytes], schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    with pq.ParquetWriter(target, schema) as writer:
        return sum(_counted(writer.write_table, table) for table in tables)


def _write_csv(target: IO[bytes], schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    with pacsv.CSVWriter(target, schema) as writer:
        return sum(_counted(writer.write_table, table) for table in tables)


def _write_jsonl(target: IO[bytes], schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    def write(table: pa.Table) -> None:
        target.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in table.to_pylist())

    return sum(_counted(write, table) for table in tables)


def _counted(write: Callable[[pa.Table], None], table: pa.Table) -> int:
    write(table)
    return len(table)


@contextlib.contextmanager
def _scratch_beside(path: Path) -> Iterator[IO[bytes]]:
    """File in the same folder that is gone when the block fails."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as scratch:
        try:
            yield scratch
        except BaseException:
            Path(scratch.name).unlink()
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


WRITERS: dict[str, Write] = {".parquet": _write_parquet, ".csv": _write_csv, ".jsonl": _write_jsonl}
