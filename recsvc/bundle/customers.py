"""Customer records in one memory-mapped LMDB, shared by all workers.

Key: 16-byte BLAKE2b of the id (LMDB keys end at 511 bytes). Value: CRC-32 of the rest, then the id and the record's
columns, little-endian. Open after fork, read-only, without a lock file.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import lmdb
import numpy as np

from recsvc.domain.arrays import AnyArray
from recsvc.domain.history import Histories, concatenate, no_history
from recsvc.errors import BundleCorrupt

_HEADER = struct.Struct("<IIII")  # crc, bytes of id, orders, lines
_ORDERS = (("order_day", "<i4"), ("order_amount", "<i8"))
_LINES = (("line_day", "<i4"), ("line_item", "<i4"), ("line_quantity", "<f4"), ("line_amount", "<i8"))
_BATCH = 4096


def key_of(customer_id: str) -> bytes:
    """Key under which a customer's record is kept."""
    return hashlib.blake2b(customer_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def encode(histories: Histories, position: int) -> bytes:
    """Record of one customer of a batch as bytes."""
    customer_id = histories.customer_ids[position].encode("utf-8", "surrogatepass")
    orders = slice(*histories.order_offsets[position : position + 2])
    lines = slice(*histories.line_offsets[position : position + 2])
    columns = [getattr(histories, name)[orders].astype(kind).tobytes() for name, kind in _ORDERS]
    columns += [getattr(histories, name)[lines].astype(kind).tobytes() for name, kind in _LINES]
    n_orders, n_lines = orders.stop - orders.start, lines.stop - lines.start
    rest = _HEADER.pack(0, len(customer_id), n_orders, n_lines)[4:] + customer_id + b"".join(columns)
    return zlib.crc32(rest).to_bytes(4, "little") + rest


def decode(value: bytes) -> Histories | None:
    """Record of one customer from bytes; None when the checksum is wrong."""
    crc, id_bytes, n_orders, n_lines = _HEADER.unpack_from(value)
    if zlib.crc32(value[4:]) != crc:
        return None
    at = _HEADER.size + id_bytes
    customer_id = value[_HEADER.size : at].decode("utf-8", "surrogatepass")
    columns: dict[str, AnyArray] = {}
    for names, count in ((_ORDERS, n_orders), (_LINES, n_lines)):
        for name, kind in names:
            columns[name] = np.frombuffer(value, kind, count, at)
            at += columns[name].nbytes
    return Histories(
        customer_ids=(customer_id,),
        order_offsets=np.array([0, n_orders], np.int64),
        line_offsets=np.array([0, n_lines], np.int64),
        **columns,
    )


class CustomersWriter:
    """Writes records batch by batch; the file is complete and compact when the block ends."""

    def __init__(self, path: Path, expected_bytes: int) -> None:
        size = max(2 * expected_bytes, 1 << 24)
        self._env = lmdb.open(str(path), subdir=False, map_size=size, lock=False, sync=False, metasync=False)

    def write(self, histories: Histories) -> None:
        """Add the records of a batch."""
        rows = sorted((key_of(customer_id), p) for p, customer_id in enumerate(histories.customer_ids))
        with self._env.begin(write=True) as transaction:
            for key, position in rows:
                transaction.put(key, encode(histories, position))

    def __enter__(self) -> CustomersWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._env.sync(True)
        self._env.close()


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
            self._env = lmdb.open(str(path), subdir=False, readonly=True, lock=False, max_readers=512)
        except lmdb.Error as error:
            raise BundleCorrupt(self._name, f"{path.name} cannot be opened ({type(error).__name__})") from error

    def get(self, customer_id: str) -> Histories | None:
        """Record of a customer; None when there is none."""
        with self._env.begin() as transaction:
            value = transaction.get(key_of(customer_id))
        if value is None:
            return None
        history = self._checked(value)
        return history if history.customer_ids == (customer_id,) else None

    def get_many(self, customer_ids: list[str]) -> tuple[Histories, AnyArray]:
        """Records in the order asked for, empty where unknown, and whether each was known."""
        found = [self.get(customer_id) for customer_id in customer_ids]
        known = np.array([history is not None for history in found], bool)
        pairs = zip(found, customer_ids, strict=True)
        return concatenate([history or no_history(customer_id) for history, customer_id in pairs]), known

    def batches(self, size: int = _BATCH) -> Iterator[Histories]:
        """Every record, in key order, `size` customers at a time."""
        with self._env.begin() as transaction:
            some: list[Histories] = []
            for _, value in transaction.cursor():
                some.append(self._checked(value))
                if len(some) == size:
                    yield concatenate(some)
                    some = []
            if some:
                yield concatenate(some)

    def __len__(self) -> int:
        return int(self._env.stat()["entries"])

    def close(self) -> None:
        """Unmap the file."""
        self._env.close()

    def _checked(self, value: bytes) -> Histories:
        history = decode(value)
        if history is None:
            raise BundleCorrupt(self._name, "a customer record does not match its checksum")
        return history
