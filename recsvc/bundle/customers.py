"""Customer records in one memory-mapped LMDB, shared by all workers.

Key: 16-byte BLAKE2b of the id (LMDB keys end at 511 bytes). Value: CRC-32 of the rest, then the id and the record's
columns, little-endian; behind them, only if there are any, the number of touchpoints and their columns, so that records
from before there were touchpoints are records without. Open after fork, read-only, without a lock file.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from types import TracebackType

import lmdb
import numpy as np

from recsvc.bundle.lmdb_file import Database, environment, open_if_there, put, writing
from recsvc.domain.arrays import AnyArray
from recsvc.domain.habits import Habit
from recsvc.domain.history import Histories, concatenate, no_history
from recsvc.domain.keys import key_of_id
from recsvc.domain.touchpoints import Touchpoints, no_touchpoints
from recsvc.errors import BundleCorrupt

_HEADER = struct.Struct("<IIII")  # crc, bytes of id, orders, lines
_ORDERS = (("order_day", "<i4"), ("order_amount", "<i8"))
_TOUCHPOINTS = (("day", "<i4"), ("kind", "<i1"), ("value", "<f4"))
_COUNT = struct.Struct("<I")
_LINES = (("line_day", "<i4"), ("line_item", "<i4"), ("line_quantity", "<f4"), ("line_amount", "<i8"))
BATCH = 4096
BYTES_A_LINE, BYTES_A_CUSTOMER = 64, 1024  # room to begin with, not what the file takes
RECORDS, RANKS, HABITS = b"records", b"win_back_ranks", b"habits"
NO_HOUR = 255  # on disk only
Columns = tuple[tuple[str, str], ...]  # name and kind of number


def warning_key_of(customer_id: str) -> bytes:
    """Key under which a place on the early warning list is kept, beside those of the win-back list."""
    return key_of_id(customer_id) + b"w"


def encode(histories: Histories, position: int) -> bytes:
    """Record of one customer of a batch as bytes."""
    customer_id = histories.customer_ids[position].encode("utf-8", "surrogatepass")
    orders = slice(*histories.order_offsets[position : position + 2])
    lines = slice(*histories.line_offsets[position : position + 2])
    columns = [getattr(histories, name)[orders].astype(kind).tobytes() for name, kind in _ORDERS]
    columns += [getattr(histories, name)[lines].astype(kind).tobytes() for name, kind in _LINES]
    n_orders, n_lines = orders.stop - orders.start, lines.stop - lines.start
    rest = _HEADER.pack(0, len(customer_id), n_orders, n_lines)[4:] + customer_id + b"".join(columns)
    rest += _encoded_touchpoints(histories.touchpoints, position)
    return zlib.crc32(rest).to_bytes(4, "little") + rest


def decode(value: bytes, bundle_id: str) -> Histories:
    """Record of one customer from bytes.

    Raises
    ------
    BundleCorrupt
        If the checksum is wrong.
    """
    if len(value) < _HEADER.size or zlib.crc32(memoryview(value)[4:]).to_bytes(4, "little") != value[:4]:
        raise BundleCorrupt(bundle_id, "a customer record does not match its checksum")
    _, id_bytes, n_orders, n_lines = _HEADER.unpack_from(value)
    at = _HEADER.size + id_bytes
    customer_id = value[_HEADER.size : at].decode("utf-8", "surrogatepass")
    orders, at = _columns(value, _ORDERS, n_orders, at)
    lines, at = _columns(value, _LINES, n_lines, at)
    return Histories(
        customer_ids=(customer_id,),
        order_offsets=np.array([0, n_orders], np.int64),
        line_offsets=np.array([0, n_lines], np.int64),
        touchpoints=_decoded_touchpoints(value, at),
        **orders,
        **lines,
    )


def _encoded_touchpoints(touchpoints: Touchpoints, position: int) -> bytes:
    first, end = touchpoints.offsets[position : position + 2]
    if first == end:
        return b""
    columns = [getattr(touchpoints, name)[first:end].astype(kind).tobytes() for name, kind in _TOUCHPOINTS]
    return _COUNT.pack(end - first) + b"".join(columns)


def _decoded_touchpoints(value: bytes, at: int) -> Touchpoints:
    if at == len(value):
        return no_touchpoints(1)
    (count,) = _COUNT.unpack_from(value, at)
    columns, _ = _columns(value, _TOUCHPOINTS, count, at + _COUNT.size)
    return Touchpoints(np.array([0, count], np.int64), **columns)


def _columns(value: bytes, names: Columns, count: int, at: int) -> tuple[dict[str, AnyArray], int]:
    """Columns of `count` rows that begin at a byte, and the byte behind them."""
    columns: dict[str, AnyArray] = {}
    for name, kind in names:
        columns[name] = np.frombuffer(value, kind, count, at)
        at += columns[name].nbytes
    return columns, at


class CustomersWriter:
    """Writes records batch by batch; the file appears, compact, when the block ends well."""

    def __init__(self, path: Path, n_customers: int, n_lines: int) -> None:
        self._file = ExitStack()
        self._env = self._file.enter_context(writing(path, BYTES_A_CUSTOMER * n_customers + BYTES_A_LINE * n_lines))
        self._records = self._env.open_db(RECORDS)
        self._ranks = self._env.open_db(RANKS)

    def write(self, histories: Histories) -> None:
        """Add the records of a batch."""
        rows = sorted((key_of_id(customer_id), p) for p, customer_id in enumerate(histories.customer_ids))
        put(self._env, self._records, [(key, encode(histories, position)) for key, position in rows])

    def write_win_back_ranks(self, customer_ids: Iterable[str]) -> None:
        """Remember the places of the win-back list, given best first."""
        put(self._env, self._ranks, _ranked(map(key_of_id, customer_ids)))

    def write_early_warning_ranks(self, customer_ids: Iterable[str]) -> None:
        """Remember the places of the early warning list, given most at stake first."""
        put(self._env, self._ranks, _ranked(map(warning_key_of, customer_ids)))

    def write_habits(self, habits: Iterable[tuple[str, Habit]]) -> None:
        """Remember what customers prefer, a batch at a time."""
        rows = ((key_of_id(customer_id), _encoded_habit(habit)) for customer_id, habit in habits)
        while some := sorted(islice(rows, BATCH)):
            put(self._env, self._env.open_db(HABITS), some)

    def batches(self, size: int = BATCH) -> Iterator[Histories]:
        """Read back every record written so far, in key order."""
        return _batches(self._env, self._records, size)

    def __enter__(self) -> CustomersWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, error, trace)


class CustomersReader:
    """Reads records by customer id.

    Raises
    ------
    BundleCorrupt
        If the file cannot be opened, or a record's checksum is wrong.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.parent.name
        try:
            self._env = environment(path)
            self._records, self._ranks = self._env.open_db(RECORDS), self._env.open_db(RANKS)
            self._habits = open_if_there(self._env, HABITS)
        except (OSError, lmdb.Error) as error:
            raise BundleCorrupt(self._name, f"{path.name} cannot be opened ({type(error).__name__})") from error

    def get(self, customer_id: str) -> Histories | None:
        """Record of a customer; None when there is none."""
        with self._env.begin(self._records) as transaction:
            value = transaction.get(key_of_id(customer_id))
        if value is None:
            return None
        history = decode(value, self._name)
        return history if history.customer_ids == (customer_id,) else None

    def win_back_rank(self, customer_id: str) -> int | None:
        """1-based place of a customer on the win-back list; None when not on it."""
        return self._rank(key_of_id(customer_id))

    def early_warning_rank(self, customer_id: str) -> int | None:
        """1-based place of a customer on the early warning list; None when not on it, or the bundle has none."""
        return self._rank(warning_key_of(customer_id))

    def habit(self, customer_id: str) -> Habit:
        """When and on which channel a customer is most likely to act."""
        if self._habits is None:
            return Habit()
        with self._env.begin(self._habits) as transaction:
            value = transaction.get(key_of_id(customer_id))
        return Habit() if value is None else _decoded_habit(value)

    def get_many(self, customer_ids: list[str], hidden: frozenset[str] = frozenset()) -> tuple[Histories, AnyArray]:
        """Records in the order asked for, empty where unknown or hidden, and whether each was known."""
        found = [None if customer_id in hidden else self.get(customer_id) for customer_id in customer_ids]
        known = np.array([history is not None for history in found], bool)
        pairs = zip(found, customer_ids, strict=True)
        return concatenate([history or no_history(customer_id) for history, customer_id in pairs]), known

    def batches(self, size: int = BATCH) -> Iterator[Histories]:
        """Every record, in key order, `size` customers at a time."""
        return _batches(self._env, self._records, size)

    def _rank(self, key: bytes) -> int | None:
        with self._env.begin(self._ranks) as transaction:
            value = transaction.get(key)
        return None if value is None else int.from_bytes(value, "little")

    def __len__(self) -> int:
        with self._env.begin(self._records) as transaction:
            return int(transaction.stat(self._records)["entries"])


def _ranked(keys: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    """Each key with its 1-based place."""
    return [(key, rank.to_bytes(4, "little")) for rank, key in enumerate(keys, 1)]


def _batches(env: lmdb.Environment, records: Database, size: int) -> Iterator[Histories]:
    with env.begin(records) as transaction:
        values = (value for _, value in transaction.cursor())
        while some := [decode(value, "customers") for value in islice(values, size)]:
            yield concatenate(some)


def _encoded_habit(habit: Habit) -> bytes:
    hour = NO_HOUR if habit.best_hour is None else habit.best_hour
    return bytes([hour]) + (habit.best_channel or "").encode()


def _decoded_habit(value: bytes) -> Habit:
    return Habit(None if value[0] == NO_HOUR else value[0], value[1:].decode() or None)
