"""Records on disk: what goes in comes out, damage is noticed, and a process may open a file as often as it likes."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.bundle.customers import CustomersReader, CustomersWriter, decode, encode
from recsvc.domain.habits import Habit
from recsvc.domain.history import Histories, take
from recsvc.domain.keys import key_of_id
from recsvc.errors import BundleCorrupt
from tests.domain.record_strategies import histories, plain, summary

ODD_IDS = ("🛒", "a/b//c", " ", "x" * 5_000, "\ud800", "é", "e\u0301", "\x00", "a\x00b", "日本")
BOUGHT = [(1, 0, 2, 500), (3, 1, 1, 250)]


def write(path: Path, *batches: Histories, ranked: tuple[str, ...] = ()) -> CustomersReader:
    with CustomersWriter(path, n_customers=100, n_lines=1_000) as writer:
        for batch in batches:
            writer.write(batch)
        writer.write_win_back_ranks(ranked)
    return CustomersReader(path)


@given(histories)
def test_a_record_survives_its_bytes(batch: Histories) -> None:
    for position, record in enumerate(plain(batch)):
        decoded = decode(encode(batch, position), "b")

        assert plain(decoded) == [record]
        again = take(batch, np.array([position]))
        for name in ("order_day", "order_amount", "line_day", "line_item", "line_quantity", "line_amount"):
            assert getattr(decoded, name).dtype == getattr(again, name).dtype
        for name in ("offsets", "day", "kind", "value"):
            assert getattr(decoded.touchpoints, name).dtype == getattr(again.touchpoints, name).dtype


def test_a_record_without_touchpoints_is_what_it_was_before_there_were_any() -> None:
    rest = struct.pack("<III", 1, 1, 1) + b"a" + struct.pack("<iqiifq", 3, 250, 3, 1, 2.0, 250)
    before = struct.pack("<I", zlib.crc32(rest)) + rest

    record = summary({"a": [(3, 1, 2, 250)]})

    assert encode(record, 0) == before
    assert plain(decode(before, "b")) == plain(record)


@given(histories, st.data())
def test_a_record_with_any_byte_changed_is_refused(batch: Histories, data: st.DataObject) -> None:
    value = bytearray(encode(batch, 0))
    position = data.draw(st.integers(0, len(value) - 1))
    value[position] ^= data.draw(st.integers(1, 255))

    with pytest.raises(BundleCorrupt, match="checksum"):
        decode(bytes(value), "b")


@given(histories, st.data())
def test_a_record_cut_short_or_run_over_is_refused(batch: Histories, data: st.DataObject) -> None:
    value = encode(batch, 0)
    cut = value[: data.draw(st.integers(0, len(value) - 1))]

    for damaged in (cut, value + b"\x00"):
        with pytest.raises(BundleCorrupt):
            decode(damaged, "b")


def test_odd_ids_are_found_and_their_neighbours_are_not(tmp_path: Path) -> None:
    reader = write(tmp_path / "customers.lmdb", summary(dict.fromkeys(ODD_IDS, BOUGHT)))

    for customer_id in ODD_IDS:
        found = reader.get(customer_id)
        assert found is not None
        assert found.customer_ids == (customer_id,)
        assert reader.get(customer_id + " ") is None
    assert len(reader) == len(ODD_IDS)


def test_many_are_returned_in_the_order_asked_for_with_empty_records_for_strangers(tmp_path: Path) -> None:
    reader = write(tmp_path / "customers.lmdb", summary({"a": BOUGHT}), summary({"b": [(9, 2, 1, 100)]}))

    found, known = reader.get_many(["b", "nobody", "a", "b"])

    assert found.customer_ids == ("b", "nobody", "a", "b")
    assert known.tolist() == [True, False, True, True]
    assert [record["order_day"] for record in plain(found)] == [[9], [], [1, 3], [9]]


def test_batches_hold_every_record_once_whatever_their_size(tmp_path: Path) -> None:
    everybody = summary({str(number): [(number, 0, 1, 100)] for number in range(10)})
    reader = write(tmp_path / "customers.lmdb", everybody)

    batches = [plain(batch) for batch in reader.batches(size=3)]

    assert [len(batch) for batch in batches] == [3, 3, 3, 1]
    found = [record for batch in batches for record in batch]
    expected = sorted(plain(everybody), key=lambda record: key_of_id(str(record["customer_id"])))
    assert found == expected


def test_ranks_are_the_places_of_the_list_given(tmp_path: Path) -> None:
    reader = write(tmp_path / "customers.lmdb", summary(dict.fromkeys("abc", BOUGHT)), ranked=("c", "a"))

    assert [reader.win_back_rank(one) for one in ("c", "a", "b", "nobody")] == [1, 2, None, None]


def test_habits_are_those_written_and_nothing_is_known_of_others(tmp_path: Path) -> None:
    habits = {"é": Habit(0, "web"), "b": Habit(23), "c": Habit(None, "本")}
    with CustomersWriter(tmp_path / "customers.lmdb", 1, 1) as writer:
        writer.write(summary({"a": BOUGHT}))
        writer.write_habits(habits.items())

    reader = CustomersReader(tmp_path / "customers.lmdb")

    assert {name: reader.habit(name) for name in (*habits, "nobody")} == {**habits, "nobody": Habit()}


def test_a_file_from_before_there_were_habits_knows_none(tmp_path: Path) -> None:
    reader = write(tmp_path / "customers.lmdb", summary({"a": BOUGHT}))

    assert reader.habit("a") == Habit(None, None)


def test_two_readers_of_one_file_share_it_also_after_it_was_moved(tmp_path: Path) -> None:
    (tmp_path / "staged").mkdir()
    first = write(tmp_path / "staged" / "customers.lmdb", summary({"a": BOUGHT}))
    second = CustomersReader(tmp_path / "staged" / "customers.lmdb")

    (tmp_path / "staged").rename(tmp_path / "live")
    moved = CustomersReader(tmp_path / "live" / "customers.lmdb")

    for reader in (first, second, moved):
        assert reader.get("a") is not None
    del first, second
    assert moved.get("a") is not None


def test_another_file_under_the_same_name_is_another_file(tmp_path: Path) -> None:
    old = write(tmp_path / "customers.lmdb", summary({"old": BOUGHT}))
    (tmp_path / "customers.lmdb").unlink()

    new = write(tmp_path / "customers.lmdb", summary({"new": BOUGHT}))

    assert old.get("old") is not None
    assert new.get("new") is not None
    assert new.get("old") is None


def test_long_ids_of_many_customers_fit(tmp_path: Path) -> None:
    ids = [f"{number:0>5000}" for number in range(6_000)]
    with CustomersWriter(tmp_path / "customers.lmdb", n_customers=6_000, n_lines=6_000) as writer:
        writer.write(summary(dict.fromkeys(ids, BOUGHT[:1])))

    assert len(CustomersReader(tmp_path / "customers.lmdb")) == 6_000


def write_and_fail(path: Path) -> None:
    with CustomersWriter(path, 1, 1) as writer:
        writer.write(summary({"a": BOUGHT}))
        raise ZeroDivisionError


def test_a_failed_writer_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_and_fail(tmp_path / "customers.lmdb")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no database", struct.pack("<I", 7) * 4096])
def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "customers.lmdb").write_bytes(content)

    with pytest.raises(BundleCorrupt, match="cannot be opened"):
        CustomersReader(tmp_path / "customers.lmdb")


def test_a_file_that_is_not_there_is_corrupt(tmp_path: Path) -> None:
    with pytest.raises(BundleCorrupt, match="cannot be opened"):
        CustomersReader(tmp_path / "customers.lmdb")
