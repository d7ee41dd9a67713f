"""Stored slates come back as they were written, in 300 bytes, or not at all."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.bundle.slates import STRANGER, BareItem, BareSlate, SlatesReader, SlatesWriter
from recsvc.domain.course import Course
from recsvc.domain.grounds import Grounds
from recsvc.errors import BundleCorrupt
from tests.domain.record_strategies import ids

whole = st.integers(0, 2**32 - 2)
grounds = st.builds(
    Grounds,
    times=st.integers(0, 2**16 - 1),
    usual_gap_days=whole,
    days_since=whole,
    because=st.none() | st.integers(0, 2**31),
    looked_at=st.none(),
)
items = st.builds(BareItem, row=whole, score=st.floats(allow_nan=False), grounds=grounds)
many = st.tuples(*[whole] * 5).map(lambda days: tuple(sorted(days)))
a_course = st.builds(
    Course,
    orders=whole,
    last_order_day=st.integers(-(2**31), 2**31 - 1),
    begins_after_days=many,
    high_value_days=st.just(math.inf) | whole.map(float),
)
words = st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=3).map(tuple)
slates = st.builds(BareSlate, a_course, st.lists(items, max_size=10).map(tuple), words)
shops = st.dictionaries(ids, slates, max_size=8)


def written(folder: Path, found: dict[str, BareSlate]) -> Path:
    path = folder / "slates.lmdb"
    with SlatesWriter(path, len(found), 10) as writer:
        writer.write(found.items())
    return path


@given(shop=shops, stranger=st.builds(BareSlate, st.none(), st.lists(items, max_size=10).map(tuple)))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, shop: dict[str, BareSlate], stranger: BareSlate
) -> None:
    found = shop | {STRANGER: stranger}

    reader = SlatesReader(written(tmp_path_factory.mktemp("slates"), found))

    assert (reader.k, len(reader)) == (10, len(found))
    assert {one: reader.get(one) for one in found} == found
    assert reader.get("somebody else entirely") is None


def some(n_items: int = 10) -> BareSlate:
    course = Course(7, 19_000, (0, 10, 20, 30, 40), math.inf)
    return BareSlate(course, tuple(BareItem(row, 0.5 / row, Grounds(because=row)) for row in range(1, n_items + 1)))


def test_a_slate_of_ten_takes_no_more_than_300_bytes(tmp_path: Path) -> None:
    with SlatesWriter(tmp_path / "slates.lmdb", 1, 10) as writer:
        assert len(writer.encoded(some())) <= 300
        writer.write([("a", some())])


def test_every_flipped_byte_of_a_slate_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path, {"a": some(2)})
    reader = SlatesReader(path)
    with SlatesWriter(tmp_path / "other.lmdb", 1, 10) as writer:
        value = writer.encoded(some(2))

    assert reader.decoded(value) == some(2)
    for place in range(len(value)):
        flipped = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
        with pytest.raises(BundleCorrupt, match="checksum"):
            reader.decoded(flipped)


def test_a_file_that_is_no_file_of_slates_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "slates.lmdb"
    path.write_bytes(b"no database")

    with pytest.raises(BundleCorrupt, match=r"slates\.lmdb cannot be opened"):
        SlatesReader(path)


def test_what_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "slates.lmdb"

    with pytest.raises(OverflowError):
        _write_and_fail(path)

    assert [*tmp_path.iterdir()] == []


def _write_and_fail(path: Path) -> None:
    with SlatesWriter(path, 1, 10) as writer:
        writer.write([("a", some())])
        raise OverflowError
