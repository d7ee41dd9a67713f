"""Where raw tables come from: files, a file of an installed package, or a database. The only raw input there is.

`read_raw` gives a table with the user's own column names. Text files give text columns: nothing guesses types,
so leading zeros stay. Reading happens when the table is used.
"""

from __future__ import annotations

import glob
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from ibis.expr.types import Table

from recsvc.errors import ConfigError, DataError
from training.config_data import Source
from training.session import Session, engine_errors_as_data_errors
from training.sources_csv import read_csv
from training.sources_sql import read_sql

TEXT_ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")
PARQUET_ENDING = ".parquet"


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as the user has it.

    Attributes
    ----------
    where
        What to call it in messages: table and file.
    first_row
        Number people see at its first row: 2 in a text file, whose header is row 1, else 1.
    """

    name: str
    where: str
    table: Table
    first_row: int


def read_raw(session: Session, name: str, source: Source) -> RawTable:
    """Open one table of the config.

    Parameters
    ----------
    name
        `orders` or `items`: the section of the config.

    Raises
    ------
    ConfigError
        The section names no source, or two.
    DataError
        The source is missing, empty, damaged, or not what it is said to be.
    """
    if source.url is not None or source.query is not None:
        return _from_sql(session, name, source)
    if source.path is None:
        raise ConfigError(f"{name}.path", "is not given", f"name a file under [{name}], or pass --{name} PATH")
    paths = _files(name, source.path, source.package)
    where = f"{name} ({paths[0].name}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''})"
    if all(path.name.endswith(PARQUET_ENDING) for path in paths):
        return RawTable(name, where, _read_parquet(session, name, where, paths), first_row=1)
    if all(path.name.lower().endswith(TEXT_ENDINGS) for path in paths):
        return RawTable(name, where, read_csv(session, where, paths, source), first_row=2)
    fix = f"give files that all end in {PARQUET_ENDING}, or all in one of {', '.join(TEXT_ENDINGS)}"
    raise DataError(where, "the kind of file cannot be told from the name", fix)


def _from_sql(session: Session, name: str, source: Source) -> RawTable:
    if source.url is None or source.query is None or source.path is not None:
        raise ConfigError(f"{name}.url", "needs a query and no path", "give url and query, or path")
    return RawTable(name, f"{name} (query)", read_sql(session, name, source.url, source.query), first_row=1)


def _files(name: str, path: str, package: str | None) -> list[Path]:
    """Files a path or glob stands for, sorted by name."""
    pattern = str(_package_folder(name, package) / path) if package else path
    files = [Path(found) for found in sorted(glob.glob(pattern, recursive=True))]
    if not files:
        raise DataError(name, f"no file matches {path}", f"correct {name}.path")
    folders = [one for one in files if one.is_dir()]
    if folders:
        raise DataError(name, f"{folders[0].name} is a folder", f"name its files, such as {path}/*.parquet")
    return files


def _package_folder(name: str, package: str) -> Path:
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        fix = f"run: pip install {package.replace('_', '-')}"
        raise DataError(name, f"the package {package} that holds this file is not installed", fix)
    return Path(next(iter(spec.submodule_search_locations)))


def _read_parquet(session: Session, name: str, where: str, paths: list[Path]) -> Table:
    with engine_errors_as_data_errors(where, "write the file again; all files of a glob must have the same columns"):
        return session.backend.read_parquet(paths, table_name=session.new_name(f"raw_{name}"), union_by_name=True)
