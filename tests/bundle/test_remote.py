"""Publishing to an object store, and following what is live there: in a folder, and in a server that speaks S3."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from recsvc.bundle import remote as remote_module
from recsvc.bundle.manifest import MANIFEST
from recsvc.bundle.remote import FETCHED, LIVE, Publication, RemoteBundles
from recsvc.bundle.store import BundleStore
from recsvc.errors import BundleCorrupt, ConfigError, PublishedMeanwhile, RemoteUnavailable
from recsvc.serving.mirror import Mirror
from tests.trained import Trained, with_another

PLACES = ("folder", "s3")


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Address of a server that speaks S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=PLACES)
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty place for bundles."""
    if request.param == "folder":
        return f"file://{tmp_path / 'place'}"
    address: str = request.getfixturevalue("s3")
    for name, value in {"ACCESS_KEY_ID": "tests", "SECRET_ACCESS_KEY": "tests", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
    bucket = f"bundles-{abs(hash(tmp_path)):x}"[:60]
    boto3.client("s3", endpoint_url=address).create_bucket(Bucket=bucket)
    return f"s3://{bucket}/some/folder"


@pytest.fixture
def shop(trained: Trained, tmp_path: Path) -> BundleStore:
    """A folder with two bundles, the first of which is live."""
    return with_another(trained, tmp_path / "shop")


def ids(store: BundleStore) -> list[str]:
    return [bundle.path.name for bundle in store.bundles()]


def mirror_at(url: str, folder: Path) -> tuple[Mirror, BundleStore]:
    store = BundleStore(folder)
    return Mirror(RemoteBundles(url), store), store


def test_what_is_published_is_taken_up_whole_and_once(url: str, shop: BundleStore, tmp_path: Path) -> None:
    mirror, store = mirror_at(url, tmp_path / "copy")
    first, second = ids(shop)
    remote = RemoteBundles(url)

    mirror.refresh()
    assert remote.latest() == Publication()
    assert store.current_id() is None

    assert remote.publish(shop.get(first), after=0) == Publication(1, first) == remote.latest()
    mirror.refresh()
    assert store.current_id() == store.verify(first).path.name == first

    remote.publish(shop.get(second), after=1)
    mirror.refresh()
    store.activate(first)  # by hand
    mirror.refresh()
    assert store.current_id() == first
    remote.publish(shop.get(second), after=2)
    mirror.refresh()
    assert store.current_id() == second
    assert not [*store.root.glob(f"{FETCHED}*")]


def test_of_two_who_publish_at_once_one_wins_and_the_other_is_told(url: str, shop: BundleStore, tmp_path: Path) -> None:
    first, second = ids(shop)
    ours, theirs = RemoteBundles(url), RemoteBundles(url)
    known = ours.latest().number

    ours.publish(shop.get(first), known)
    with pytest.raises(PublishedMeanwhile, match=f"{second} is not live: another was published meanwhile"):
        theirs.publish(shop.get(second), known)

    assert theirs.latest() == Publication(known + 1, first)
    mirror, store = mirror_at(url, tmp_path / "copy")
    mirror.refresh()
    with pytest.raises(PublishedMeanwhile):
        Mirror(RemoteBundles(url), shop).publish(second)  # which took nothing up yet
    mirror.refresh()
    assert store.current_id() == first


@pytest.mark.parametrize("calls", [1, 2, 7, 20])
def test_a_copy_that_was_cut_off_goes_on_where_it_was(
    url: str, shop: BundleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    first = ids(shop)[0]
    RemoteBundles(url).publish(shop.get(first), after=0)
    monkeypatch.setattr(remote_module, "CHUNK", 40_000)
    mirror, store = mirror_at(url, tmp_path / "copy")
    files = mirror._remote._files
    whole, asked = files.cat_file, []

    def until_cut_off(path: str, *arguments: Any, **others: Any) -> bytes:
        asked.append((path, others.get("start")))
        if len(asked) == calls:
            raise OSError("the line is cut")
        some: bytes = whole(path, *arguments, **others)
        return some

    with monkeypatch.context() as patched:
        patched.setattr(files, "cat_file", until_cut_off)
        with pytest.raises(RemoteUnavailable):
            mirror.refresh()
        assert store.current_id() is None
        assert ids(store) == []
        before = {one for one in asked[:-1] if one[1] is not None}
        mirror.refresh()

    again = [one for one in asked[calls:] if one in before]
    assert again == []
    assert store.verify(store.current().path.name).path.name == first


def test_a_damaged_file_is_not_taken_up_and_is_fetched_anew(url: str, shop: BundleStore, tmp_path: Path) -> None:
    first, second = ids(shop)
    remote = RemoteBundles(url)
    mirror, store = mirror_at(url, tmp_path / "copy")
    remote.publish(shop.get(first), after=0)
    mirror.refresh()
    remote.publish(shop.get(second), after=1)
    name = max(shop.get(second).manifest.files)
    path = remote._at(second, name)
    content = remote._files.cat_file(path)
    remote._files.pipe_file(path, bytes([content[0] ^ 1]) + content[1:])

    with pytest.raises(BundleCorrupt, match=f"{name} did not arrive as it was published"):
        mirror.refresh()
    assert store.current_id() == first

    remote._files.pipe_file(path, content)
    mirror.refresh()
    assert store.current_id() == store.verify(second).path.name == second


def test_what_is_live_must_name_a_bundle(url: str) -> None:
    remote = RemoteBundles(url)
    remote._create(f"{LIVE}/0000000001", b"../../etc")

    with pytest.raises(BundleCorrupt, match="LIVE/0000000001 does not name one"):
        remote.latest()


def test_a_manifest_that_names_a_file_elsewhere_is_refused(url: str, shop: BundleStore, tmp_path: Path) -> None:
    bundle = shop.bundles()[0]
    files = {**bundle.manifest.files, "../../outside": next(iter(bundle.manifest.files.values()))}
    crafted = bundle.manifest.model_copy(update={"files": files}).identified()
    remote = RemoteBundles(url)
    remote._files.pipe_file(remote._made(remote._at(crafted.bundle_id, MANIFEST)), crafted.to_bytes())
    remote._create(f"{LIVE}/0000000001", crafted.bundle_id.encode())
    mirror, store = mirror_at(url, tmp_path / "copy" / "deep")

    with pytest.raises(BundleCorrupt, match="manifest is that of something else"):
        mirror.refresh()
    assert store.current_id() is None


def test_another_place_begins_anew(shop: BundleStore, tmp_path: Path) -> None:
    first, second = ids(shop)
    for name, published in {"one": [first, first], "two": [second]}.items():
        place = RemoteBundles(f"file://{tmp_path / name}")
        for after, bundle_id in enumerate(published):
            place.publish(shop.get(bundle_id), after)
        mirror, store = mirror_at(place.url, tmp_path / "copy")
        mirror.refresh()
        assert store.current_id() == published[-1]


def test_a_place_that_goes_away_changes_nothing_and_is_said_once(
    shop: BundleStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"file://{tmp_path / 'place'}"
    mirror, store = mirror_at(url, tmp_path / "copy")
    first, second = ids(shop)
    RemoteBundles(url).publish(shop.get(first), after=0)
    mirror.refresh()
    RemoteBundles(url).publish(shop.get(second), after=1)

    def away(*_: Any, **__: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched, caplog.at_level(logging.INFO, "recsvc.serving.mirror"):
        patched.setattr(mirror._remote._files, "ls", away)
        mirror.try_refresh()
        mirror.try_refresh()
    assert store.current_id() == first
    assert [record.message for record in caplog.records] == ["bundles not mirrored"]

    with caplog.at_level(logging.INFO, "recsvc.serving.mirror"):
        mirror.try_refresh()
    assert store.current_id() == second
    assert caplog.records[-1].message == "bundles mirrored again"


def test_a_place_nobody_answers_at_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ACCESS_KEY_ID": "tests", "SECRET_ACCESS_KEY": "tests"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with pytest.raises(RemoteUnavailable, match="does not answer"):
        RemoteBundles("s3://bucket/bundles").latest()


def test_a_url_of_no_known_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="the URL of the bundles"):
        RemoteBundles("nowhere://bucket")
