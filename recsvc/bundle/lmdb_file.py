"""One LMDB in one file: written beside and put in place compact, opened once a process and mapped by all workers.

Open after fork, read-only, without a lock file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import lmdb

Database = Any  # LMDB's own handle
FileKey = tuple[int, int]  # device and inode: a bundle moved into place is the file that was staged
MAX_DATABASES = 3
_OPENING = Lock()
_OPEN: WeakValueDictionary[FileKey, lmdb.Environment] = WeakValueDictionary()  # LMDB's rule is per process: so is this


@contextmanager
def writing(path: Path, room_bytes: int) -> Iterator[lmdb.Environment]:
    """Environment to write to; the file appears, compact, when the block ends well.

    Parameters
    ----------
    room_bytes
        Room to begin with, not what the file takes; `put` makes more where it is not enough.
    """
    scratch = path.with_suffix(".scratch")
    size = max(room_bytes, 1 << 24)
    env = lmdb.open(
        str(scratch), subdir=False, map_size=size, max_dbs=MAX_DATABASES, lock=False, sync=False, metasync=False
    )
    try:
        yield env
        with path.open("wb") as compact:
            env.copyfd(compact.fileno(), compact=True)
    finally:
        env.close()
        scratch.unlink()


def put(env: lmdb.Environment, database: Database, rows: Sequence[tuple[bytes, bytes]]) -> None:
    """Write rows, all or none at a time, and make room where there is not enough."""
    try:
        with env.begin(database, write=True) as transaction:
            for key, value in rows:
                transaction.put(key, value)
    except lmdb.MapFullError:  # far more bytes than usual: nothing of these rows was kept
        env.set_mapsize(2 * env.info()["map_size"])
        put(env, database, rows)


def open_if_there(env: lmdb.Environment, name: bytes) -> Database | None:
    """Database of a name; None where the file has none."""
    try:
        return env.open_db(name, create=False)
    except lmdb.NotFoundError:
        return None


def environment(path: Path) -> lmdb.Environment:
    """Open an environment, or share the one this process holds: LMDB allows a process one mapping of a file.

    The file counts, not its name: a fit reads the records in the staged folder, and then they are moved into place.
    """
    with _OPENING:
        status = path.stat()
        key = (status.st_dev, status.st_ino)
        held = _OPEN.get(key)
        if held is None:
            held = _OPEN[key] = lmdb.open(str(path), subdir=False, readonly=True, max_dbs=MAX_DATABASES, lock=False)
        return held
