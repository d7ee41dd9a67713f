"""Delimited text files, gzipped or not, read as text columns.

The delimiter comes from the header line, never from a guess over the rows, so one odd row is an error that names
its line instead of a table of another shape.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import shutil
import zlib
from collections import Counter
from pathlib import Path
from typing import IO

from ibis.expr.types import Table

from recsvc.errors import ConfigError, DataError
from training.config_data import Source
from training.session import Session, engine_errors_as_data_errors

DELIMITERS = (",", ";", "\t", "|")
DIALECT = {"quote": '"', "escape": '"'}
SAME_HEADER = {"auto_detect": False}  # nothing is left to guess
OTHER_HEADERS = {"all_varchar": True, "union_by_name": True}  # columns are matched by name
HEADER_LIMIT = 1 << 20  # characters; a longer first line is not a header


def read_csv(session: Session, where: str, paths: list[Path], source: Source) -> Table:
    """Table of text columns over one or more files with the same header.

    Raises
    ------
    ConfigError
        The encoding has no such name.
    DataError
        A file is empty, has no usable header, is damaged, or is not in the encoding.
    """
    lines = [_header_line(where, path, source.encoding) for path in paths]
    delimiter = source.delimiter or max(DELIMITERS, key=lines[0].count)
    headers = [_names(f"{where}: {path.name}", line, delimiter) for path, line in zip(paths, lines, strict=True)]
    if codecs.lookup(source.encoding).name != "utf-8":
        paths = [_as_utf8(session, where, path, source.encoding) for path in paths]
    shape = SAME_HEADER | {"columns": dict.fromkeys(headers[0], "VARCHAR")}
    options = shape if all(names == headers[0] for names in headers) else OTHER_HEADERS
    fix = "mend that line; or, when the text is in another encoding, set encoding, such as 'cp1252'"
    with engine_errors_as_data_errors(where, fix):
        return session.backend.read_csv(
            paths, table_name=session.new_name("raw_text"), header=True, delim=delimiter, **DIALECT, **options
        )


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.name.endswith(".gz") else path.open("rb")  # type: ignore[return-value]  # both read bytes


def _header_line(where: str, path: Path, encoding: str) -> str:
    try:
        with _open(path) as raw, codecs.getreader(encoding)(raw) as text:
            line = text.readline(HEADER_LIMIT)
    except LookupError as error:
        raise ConfigError("encoding", f"{encoding!r} is not an encoding", "use a name such as 'utf-8'") from error
    except UnicodeDecodeError as error:
        raise DataError(where, f"{path.name} is not {encoding}", "set encoding, such as 'cp1252'") from error
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(where, f"{path.name} cannot be read: {error}", "copy or export the file again") from error
    if not line.strip():
        raise DataError(where, f"{path.name} is empty", "export it again, with a header line")
    return line.removeprefix("\ufeff")


def _names(where: str, header: str, delimiter: str) -> list[str]:
    names = next(csv.reader([header.rstrip("\r\n")], delimiter=delimiter))
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(where, f"the header names the column {twice[0]!r} twice", "rename one of them")
    return names


def _as_utf8(session: Session, where: str, path: Path, encoding: str) -> Path:
    """Copy in UTF-8, piece by piece."""
    copy = session.folder / f"{session.new_name('utf8')}.csv"
    try:
        with _open(path) as raw, codecs.getreader(encoding)(raw) as text, copy.open("w", encoding="utf-8") as out:
            shutil.copyfileobj(text, out)
    except UnicodeDecodeError as error:
        raise DataError(where, f"{path.name} is not {encoding}", "correct encoding") from error
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(where, f"{path.name} cannot be read: {error}", "copy or export the file again") from error
    return copy
