"""Tables in and out of files: Parquet, CSV and JSON lines by the file's ending; ids stay text."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import orjson
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.json as pajson
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
    return list(dict.fromkeys(_read_ids(path, "customer_id")["customer_id"].to_pylist()))


def read_codes(path: Path) -> list[str]:
    """Codes in the `code` column of a CSV or Parquet file, each once, in the order of the file.

    Raises
    ------
    DataError
        If the file cannot be read, or has no such column.
    """
    return list(dict.fromkeys(_read_ids(path, "code")["code"].to_pylist()))


def read_shown(paths: Iterable[Path]) -> dict[str, tuple[str, ...]]:
    """Items each customer was shown, once a showing, by files of earlier slates (columns customer_id, item_id).

    Raises
    ------
    DataError
        If a file cannot be read, or lacks a column.
    """
    shown: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        table = _read_ids(path, "customer_id", "item_id")
        for customer_id, item_id in zip(*(column.to_pylist() for column in table.columns), strict=True):
            shown[customer_id].append(item_id)
    return {customer_id: tuple(items) for customer_id, items in shown.items()}


def read_table(path: Path, schema: pa.Schema) -> pa.Table:
    """Table of a file with the columns of a schema; those the file lacks are empty, others are not read.

    Raises
    ------
    DataError
        If the file cannot be read so.
    """
    read = TYPED_READERS.get(path.suffix)
    if read is None:
        raise DataError(str(path), "is a kind of file we do not read", "end it in .parquet, .csv or .jsonl")
    try:
        found = read(path, schema)
        there = [name for name in schema.names if name in found.column_names]
        typed = found.select(there).cast(pa.schema([schema.field(name) for name in there]))
    except (OSError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(str(path), f"cannot be read ({str(error).splitlines()[0]})", "mend the file") from error
    return pa.concat_tables([typed, schema.empty_table()], promote_options="default").select(schema.names)


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


def _read_ids(path: Path, *columns: str) -> pa.Table:
    """Some columns of a file as text, without the rows that lack one of them."""
    try:
        table = READERS.get(path.suffix, _read_csv)(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(str(path), f"cannot be read ({str(error).splitlines()[0]})", "give CSV or Parquet") from error
    for column in columns:
        if column not in table.column_names:
            found = ", ".join(table.column_names)
            raise DataError(str(path), f"has no column {column}, only {found}", "rename the column")
    return table.select(columns).cast(pa.schema([(column, pa.string()) for column in columns])).drop_null()


def _read_csv_as(path: Path, schema: pa.Schema) -> pa.Table:
    options = pacsv.ConvertOptions(column_types=schema, strings_can_be_null=True, null_values=[""])
    return pacsv.read_csv(path, parse_options=pacsv.ParseOptions(newlines_in_values=True), convert_options=options)


def _read_jsonl_as(path: Path, schema: pa.Schema) -> pa.Table:
    return pajson.read_json(path, parse_options=pajson.ParseOptions(explicit_schema=schema))


def _read_parquet_as(path: Path, _schema: pa.Schema) -> pa.Table:
    return pq.read_table(path)


def _read_csv(path: Path) -> pa.Table:
    texts = {name: pa.string() for name in ("customer_id", "item_id", "code")}
    return pacsv.read_csv(path, convert_options=pacsv.ConvertOptions(column_types=texts))


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


READERS: dict[str, Callable[[Path], pa.Table]] = {".parquet": pq.read_table, ".jsonl": pajson.read_json}
TYPED_READERS: dict[str, Callable[[Path, pa.Schema], pa.Table]] = {
    ".parquet": _read_parquet_as,
    ".jsonl": _read_jsonl_as,
    ".csv": _read_csv_as,
}
WRITERS: dict[str, Write] = {".parquet": _write_parquet, ".csv": _write_csv, ".jsonl": _write_jsonl}
