"""Whatever happens, CURRENT names a bundle that verifies, or stays as it was."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from recsvc.bundle.manifest import MANIFEST, Manifest
from recsvc.bundle.reader import REPORT, open_bundle
from recsvc.bundle.store import CURRENT, HISTORY, BundleStore
from recsvc.errors import BundleCorrupt, BundleError, BundleNotFound, ConfigError
from tests.trained import CREATED_AT, Trained


def published(store: BundleStore, note: str, days_later: int, *, activate: bool = True) -> str:
    """Another bundle: the live one with another report, made some days later."""
    source = store.bundles()[0]
    manifest = source.manifest.model_copy(update={"created_at": CREATED_AT + timedelta(days=days_later), "files": {}})
    with store.staging() as staged:
        for path in source.path.iterdir():
            if path.name != MANIFEST:
                shutil.copyfile(path, staged / path.name)
        (staged / REPORT).write_text(f'{{"note": "{note}"}}')
        return store.add(staged, manifest, live=activate).manifest.bundle_id


def flipped(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 0x55
    path.write_bytes(bytes(content))


def names(store: BundleStore) -> list[str]:
    return [bundle.manifest.bundle_id for bundle in store.bundles()]


def test_a_fit_publishes_a_bundle_that_verifies(trained: Trained) -> None:
    store = trained.store

    assert store.current_id() == trained.bundle_id
    assert store.verify(trained.bundle_id).manifest == trained.outcome.manifest
    assert {path.name for path in (trained.artifacts / trained.bundle_id).iterdir()} == {
        MANIFEST,
        *trained.outcome.manifest.files,
    }
    assert not list(trained.artifacts.glob(".staging-*"))


@pytest.mark.parametrize("end", ["first", "middle", "last"])
def test_a_changed_byte_in_any_file_is_noticed(store: BundleStore, end: str) -> None:
    bundle = store.current()
    for name, entry in bundle.manifest.files.items():
        position = {"first": 0, "middle": entry.bytes // 2, "last": entry.bytes - 1}[end]
        flipped(bundle.path / name, position)

        with pytest.raises(BundleCorrupt, match=name):
            store.verify(bundle.manifest.bundle_id)
        flipped(bundle.path / name, position)
    store.verify(bundle.manifest.bundle_id)


def test_a_changed_byte_in_a_file_that_is_read_whole_is_noticed_before_anything_reads_it(store: BundleStore) -> None:
    bundle = store.current()
    for name in [name for name in bundle.manifest.files if name.endswith((".json", ".txt"))]:
        flipped(bundle.path / name, bundle.manifest.files[name].bytes // 2)

        with pytest.raises(BundleCorrupt, match=f"{name} is not the file that was published"):
            open_bundle(bundle)
        flipped(bundle.path / name, bundle.manifest.files[name].bytes // 2)
    open_bundle(bundle)


def test_a_missing_or_longer_file_is_noticed(store: BundleStore) -> None:
    bundle = store.current()
    for name in bundle.manifest.files:
        path = bundle.path / name
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(BundleCorrupt, match=f"{name} is missing"):
            store.verify(bundle.manifest.bundle_id)

        path.write_bytes(content + b"\n")
        with pytest.raises(BundleCorrupt, match=f"{name} has"):
            store.verify(bundle.manifest.bundle_id)
        path.write_bytes(content)


@pytest.mark.parametrize(
    "bundle_id",
    ["", ".", "..", "/", "../artifacts", "a/b", "/etc", ".staging-x", "nobody", "a\x00b", "x" * 5_000, "🛒", "a/", "~"],
)
def test_only_the_name_of_a_bundle_finds_one(store: BundleStore, bundle_id: str) -> None:
    with pytest.raises(BundleNotFound):
        store.get(bundle_id)


def test_the_path_to_a_bundle_is_not_its_name(store: BundleStore) -> None:
    live = store.current_id()

    for path in (f"./{live}", f"{live}/", f"{live}/../{live}", str(store.root / str(live))):
        with pytest.raises(BundleNotFound):
            store.activate(path)
    assert store.current_id() == live


def test_a_corrupt_bundle_is_not_activated_and_the_live_one_stays(store: BundleStore) -> None:
    live, other = store.current_id(), published(store, "other", 1, activate=False)
    flipped(store.root / other / REPORT, 3)

    with pytest.raises(BundleCorrupt):
        store.activate(other)

    assert store.current_id() == live


def test_the_same_bundle_published_twice_is_there_once(store: BundleStore) -> None:
    first, again = published(store, "same", 1), published(store, "same", 2)

    assert first == again == store.current_id()
    assert names(store).count(first) == 1
    assert not list(store.root.glob(".staging-*"))


def test_a_damaged_bundle_is_replaced_when_it_is_published_again(store: BundleStore) -> None:
    first = published(store, "same", 1)
    flipped(store.root / first / REPORT, 3)

    published(store, "same", 2)

    store.verify(first)


def test_rollback_goes_back_bundle_by_bundle(store: BundleStore) -> None:
    oldest = str(store.current_id())
    middle, newest = published(store, "middle", 1), published(store, "newest", 2)
    published(store, "never live", 3, activate=False)
    assert store.current_id() == newest

    assert store.rollback().manifest.bundle_id == middle
    assert store.rollback().manifest.bundle_id == oldest
    with pytest.raises(BundleNotFound, match="nothing to roll back to"):
        store.rollback()
    assert store.current_id() == oldest


def test_a_damaged_history_stops_nobody_from_publishing(store: BundleStore) -> None:
    (store.root / HISTORY).write_bytes(b"\xff\xfe")

    assert published(store, "newest", 1) == store.current_id()


@pytest.mark.parametrize("damage", ["manifest", "missing", "file"])
def test_rollback_leads_away_from_a_bundle_that_is_damaged_or_gone(store: BundleStore, damage: str) -> None:
    oldest = store.current_id()
    newest = published(store, "newest", 1)
    if damage == "missing":
        shutil.rmtree(store.root / newest)
    else:
        flipped(store.root / newest / (MANIFEST if damage == "manifest" else REPORT), 1)

    assert store.rollback().manifest.bundle_id == oldest
    assert store.current_id() == oldest


def test_prune_keeps_the_newest_that_were_live(store: BundleStore) -> None:
    first = str(store.current_id())
    made = [published(store, f"bundle {day}", day) for day in range(1, 4)]

    deleted = store.prune(keep=2)

    assert deleted == [first, made[0]]
    assert names(store) == made[1:]
    assert store.prune(keep=2) == []


def test_prune_does_not_count_refused_nights_and_never_takes_the_live_one(store: BundleStore) -> None:
    live, second = str(store.current_id()), published(store, "second", 1)
    refused = [published(store, f"night {day}", day, activate=False) for day in range(2, 5)]
    store.activate(live)

    assert store.prune(keep=2) == []
    assert store.prune(keep=1) == []
    assert names(store) == [live, second, *refused]


def test_a_bundle_with_an_unreadable_manifest_does_not_hide_the_others(store: BundleStore) -> None:
    live, other = store.current_id(), published(store, "other", 1, activate=False)
    flipped(store.root / other / MANIFEST, 0)

    assert names(store) == [live]
    with pytest.raises(BundleError):
        store.get(other)


def test_nothing_is_live_in_a_new_store(tmp_path: Path) -> None:
    store = BundleStore(tmp_path / "new" / "artifacts")

    assert store.current_id() is None
    assert store.bundles() == []
    with pytest.raises(BundleNotFound, match="is live"):
        store.current()


def test_a_store_cannot_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="artifacts"):
        BundleStore(tmp_path / "file")


def test_current_is_one_line_that_is_the_id(trained: Trained) -> None:
    assert (trained.artifacts / CURRENT).read_text() == f"{trained.bundle_id}\n"


def test_the_id_is_a_digest_of_everything_but_the_moment(trained: Trained) -> None:
    manifest: Manifest = trained.outcome.manifest
    later = manifest.model_copy(update={"created_at": CREATED_AT + timedelta(days=9)})
    other = manifest.model_copy(update={"config_digest": "another"})

    assert later.identified().bundle_id == manifest.bundle_id
    assert other.identified().bundle_id != manifest.bundle_id
    assert manifest.bundle_id.startswith("20251231-")
