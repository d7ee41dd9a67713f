from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from recsvc.bundle.manifest import MANIFEST, read_manifest
from recsvc.bundle.migrations import FORMAT_VERSION
from recsvc.bundle.reader import open_bundle
from recsvc.bundle.store import BundleStore
from recsvc.errors import BundleCorrupt, BundleNotFound, BundleVersionUnsupported


def changed(store: BundleStore, **changes: object) -> Path:
    """Folder of the live bundle, with another manifest under the same id."""
    folder = store.current().path
    document = orjson.loads((folder / MANIFEST).read_bytes()) | changes
    (folder / MANIFEST).write_bytes(orjson.dumps(document))
    return folder


def test_a_manifest_is_read_as_it_was_written(store: BundleStore) -> None:
    bundle = store.current()

    assert read_manifest(bundle.path) == bundle.manifest
    assert bundle.manifest.to_bytes() == (bundle.path / MANIFEST).read_bytes()
    assert bundle.manifest.format_version == FORMAT_VERSION


@pytest.mark.parametrize("version", [0, FORMAT_VERSION + 1, 99])
def test_a_format_this_release_cannot_read_is_named_with_those_it_can(store: BundleStore, version: int) -> None:
    folder = changed(store, format_version=version)

    with pytest.raises(BundleVersionUnsupported, match=f"format {version}; this release reads {FORMAT_VERSION}"):
        read_manifest(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"horizon_days": 61},
        {"bundle_id": "20251231-000000000000"},
        {"files": {}},
        {"verdict": {"passed": True, "forced": True, "reasons": []}},
    ],
)
def test_a_manifest_changed_afterwards_is_refused(store: BundleStore, changes: dict[str, object]) -> None:
    with pytest.raises(BundleCorrupt, match="was changed after it was written"):
        read_manifest(changed(store, **changes))


@pytest.mark.parametrize("changes", [{"unheard_of": 1}, {"as_of": "2025-12-31"}, {"shapes": None}, {"horizon_days": 0}])
def test_a_manifest_of_another_shape_is_refused(store: BundleStore, changes: dict[str, object]) -> None:
    with pytest.raises(BundleCorrupt, match="cannot be read"):
        read_manifest(changed(store, **changes))


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"{}", b"\xff", b'"text"', b'{"format_version": "one"}'])
def test_what_is_no_manifest_is_refused(store: BundleStore, content: bytes) -> None:
    folder = store.current().path
    (folder / MANIFEST).write_bytes(content)

    with pytest.raises(BundleCorrupt, match="cannot be read"):
        read_manifest(folder)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFound):
        read_manifest(tmp_path)


def test_an_opened_bundle_is_mapped_and_cannot_be_written_to(store: BundleStore) -> None:
    bundle = open_bundle(store.current())

    for array in (bundle.factors, bundle.gram, bundle.items.n_buyers, bundle.items.first_day):
        assert not array.flags.writeable
    assert bundle.items.ids.digest == bundle.manifest.item_ids_digest
    assert len(bundle.customers) == bundle.manifest.shapes.customers
    told = {"data", "fits", "transaction_model", "value_intervals", "win_back_order"}
    told |= {"churn_reasons", "half_life", "ranker", "back_test"}
    assert set(bundle.report) == told
