"""Every customer's default slate in one memory-mapped LMDB, shared by all workers: answers that need no ranking.

Key: 16-byte BLAKE2b of the id; of strangers, who all get one slate, an empty id's. Value: CRC-32 of the rest, the
customer's course, then the items, best first, each as its row, its score and the grounds of its reasons: 299 bytes
for ten. What rules changed about a slate is kept once: the same few words hold for many. Open after fork, read-only.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import lmdb
import orjson

from recsvc.bundle.lmdb_file import environment, put, writing
from recsvc.domain.course import Course
from recsvc.domain.grounds import Grounds
from recsvc.domain.keys import key_of_id
from recsvc.errors import BundleCorrupt

BYTES_A_SLATE = 512  # room to begin with, not what the file takes
SLATES, HEAD = b"slates", b"head"
LENGTH, APPLIED = b"k", b"filters_applied"
STRANGER = ""
_CRC = struct.Struct("<I")
_COURSE = struct.Struct("<HBIi5II")  # place of the filters, whether a customer, orders, last order, stages, high value
_ITEM = struct.Struct("<IdHIII")  # row, score, times, usual gap, days since, 1 + row it goes with
_NEVER = 2**32 - 1  # on disk only: high value does not end
Applied = tuple[str, ...]


class BareItem(NamedTuple):
    """One place of a slate: item row, the score it was sorted by, and what its reasons rest on."""

    row: int
    score: float
    grounds: Grounds


@dataclass(frozen=True, slots=True)
class BareSlate:
    """A slate before it is put into words: whatever of an answer does not change from day to day.

    Attributes
    ----------
    course : None for strangers
    items : best first
    filters_applied : filters that took items away, and rules that changed the slate, in words
    """

    course: Course | None
    items: tuple[BareItem, ...]
    filters_applied: Applied = ()


class SlatesWriter:
    """Writes slates of one length; the file appears, compact, when the block ends well.

    Parameters
    ----------
    k : at least 1
        Length that was asked for.
    """

    def __init__(self, path: Path, n_customers: int, k: int) -> None:
        self._file = ExitStack()
        self._env = self._file.enter_context(writing(path, BYTES_A_SLATE * n_customers))
        self._slates, self._head = self._env.open_db(SLATES), self._env.open_db(HEAD)
        self._k = k
        self._applied: dict[Applied, int] = {}

    def write(self, slates: Iterable[tuple[str, BareSlate]]) -> None:
        """Add slates of some customers, or of `STRANGER`."""
        rows = ((key_of_id(customer_id), self.encoded(slate)) for customer_id, slate in slates)
        put(self._env, self._slates, sorted(rows))

    def encoded(self, slate: BareSlate) -> bytes:
        """Slate as bytes."""
        place = self._applied.setdefault(slate.filters_applied, len(self._applied))
        rest = _encoded_course(place, slate.course) + b"".join(map(_encoded_item, slate.items))
        return _CRC.pack(zlib.crc32(rest)) + rest

    def __enter__(self) -> SlatesWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            put(self._env, self._head, [(LENGTH, orjson.dumps(self._k)), (APPLIED, orjson.dumps([*self._applied]))])
        self._file.__exit__(kind, error, trace)


class SlatesReader:
    """Reads slates by customer id; `k` is the length they were asked for.

    Raises
    ------
    BundleCorrupt
        If the file cannot be opened, or a slate's checksum is wrong.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.parent.name
        try:
            self._env = environment(path)
            self._slates = self._env.open_db(SLATES, create=False)
            with self._env.begin(self._env.open_db(HEAD, create=False)) as transaction:
                self.k: int = orjson.loads(transaction.get(LENGTH))
                self._applied = [tuple(words) for words in orjson.loads(transaction.get(APPLIED))]
        except (OSError, ValueError, lmdb.Error) as error:
            raise BundleCorrupt(self._name, f"{path.name} cannot be opened ({type(error).__name__})") from error

    def __len__(self) -> int:
        with self._env.begin(self._slates) as transaction:
            return int(transaction.stat(self._slates)["entries"])

    def get(self, customer_id: str) -> BareSlate | None:
        """Slate of a customer; None when there is none."""
        with self._env.begin(self._slates) as transaction:
            value: bytes | None = transaction.get(key_of_id(customer_id))
        return None if value is None else self.decoded(value)

    def decoded(self, value: bytes) -> BareSlate:
        """Slate from bytes."""
        rest = value[_CRC.size :]
        if len(rest) < _COURSE.size or _CRC.pack(zlib.crc32(rest)) != value[: _CRC.size]:
            raise BundleCorrupt(self._name, "a stored slate does not match its checksum")
        place, is_customer, orders, last, *begins, high = _COURSE.unpack_from(rest)
        course = Course(orders, last, tuple(begins), math.inf if high == _NEVER else high) if is_customer else None
        items = tuple(
            BareItem(row, score, Grounds(times, gap, since, because - 1 if because else None))
            for row, score, times, gap, since, because in _ITEM.iter_unpack(rest[_COURSE.size :])
        )
        return BareSlate(course, items, self._applied[place])


def _encoded_course(place: int, course: Course | None) -> bytes:
    if course is None:
        return _COURSE.pack(place, 0, *[0] * 8)
    high = _NEVER if math.isinf(course.high_value_days) else int(course.high_value_days)
    return _COURSE.pack(place, 1, course.orders, course.last_order_day, *course.begins_after_days, high)


def _encoded_item(item: BareItem) -> bytes:
    """Bytes of one place; nobody looks at anything when slates are stored."""
    times, gap, since, because, _ = item.grounds
    return _ITEM.pack(item.row, item.score, times, gap, since, 0 if because is None else because + 1)
