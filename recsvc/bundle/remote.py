"""Bundles in an object store: trainers publish there, services keep a copy of what is live.

A bundle lies there as it does in a folder, its manifest written last. What is live is a list of publications, each an
object `LIVE/<number>` that holds a bundle id and is created only if nobody created it first: of two who publish at
once, one wins and the other is told. Nothing written is ever changed, so a reader cut off anywhere goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import fsspec

from recsvc.bundle.manifest import MANIFEST, read_manifest
from recsvc.bundle.store import BUNDLE_ID, BundleFolder, BundleStore, file_entry, sync
from recsvc.errors import BundleCorrupt, ConfigError, PublishedMeanwhile, RemoteUnavailable

LIVE = "LIVE"
DIGITS = 10
CHUNK = 8 * 1024 * 1024  # bytes asked for at once; what arrived is kept
FETCHED = ".fetched-"


@dataclass(frozen=True, slots=True)
class Publication:
    """The latest publication: its number, counted from 1, and what it made live; 0 and None before the first."""

    number: int = 0
    bundle_id: str | None = None


class RemoteBundles:
    """A place for bundles at any URL that fsspec knows; credentials are what its library finds in the environment.

    Every method raises `RemoteUnavailable` when the place does not answer.

    Raises
    ------
    ConfigError
        If the URL names no place, or a library for it is missing.
    """

    def __init__(self, url: str) -> None:
        try:
            self._files, root = fsspec.core.url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)
        except (ImportError, ValueError) as error:
            raise ConfigError(
                "the URL of the bundles", f"cannot be used ({error})", "install what it asks for"
            ) from None
        self._root = root.rstrip("/")
        self.url = url

    def latest(self) -> Publication:
        """Return the latest publication."""
        with self._answering():
            names = (Path(path).name for path in self._names(LIVE))
            numbers = [name for name in names if name.isdecimal() and len(name) == DIGITS]
            if not numbers:
                return Publication()
            last = max(numbers)
            bundle_id = self._files.cat_file(f"{self._root}/{LIVE}/{last}").decode("ascii", "replace").strip()
        if not BUNDLE_ID.fullmatch(bundle_id):
            raise BundleCorrupt(f"of publication {int(last)}", f"{LIVE}/{last} does not name one")
        return Publication(int(last), bundle_id)

    def publish(self, bundle: BundleFolder, after: int) -> Publication:
        """Copy a bundle there and make it live.

        Parameters
        ----------
        after
            Number of the latest publication that the caller knows of.

        Raises
        ------
        PublishedMeanwhile
            If somebody else published after that one; the bundle lies there, and is not live.
        """
        self._copy(bundle)
        number, bundle_id = after + 1, bundle.manifest.bundle_id
        with self._answering():
            try:
                self._create(f"{LIVE}/{number:0{DIGITS}d}", f"{bundle_id}\n".encode("ascii"))
            except FileExistsError:
                raise PublishedMeanwhile(bundle_id) from None
        return Publication(number, bundle_id)

    def fetch(self, bundle_id: str, store: BundleStore) -> BundleFolder:
        """Copy a bundle into a folder of bundles; an interrupted copy goes on where it was.

        Raises
        ------
        BundleCorrupt
            If what lies there is not what was published; what was copied of that file is thrown away.
        """
        if (store.root / bundle_id / MANIFEST).is_file():
            return store.get(bundle_id)
        folder = store.root / f"{FETCHED}{bundle_id}"
        folder.mkdir(exist_ok=True)
        with self._answering():
            (folder / MANIFEST).write_bytes(self._files.cat_file(self._at(bundle_id, MANIFEST)))
        manifest = read_manifest(folder)
        if manifest.bundle_id != bundle_id or any(Path(name).name != name for name in manifest.files):
            raise BundleCorrupt(bundle_id, "its manifest is that of something else")
        for name, expected in manifest.files.items():
            self._fetch_file(self._at(bundle_id, name), folder / name, expected.bytes)
            if file_entry(folder / name) != expected:
                (folder / name).unlink()
                raise BundleCorrupt(bundle_id, f"{name} did not arrive as it was published")
            sync(folder / name)
        sync(folder)
        folder.rename(store.root / bundle_id)
        return store.get(bundle_id)

    def _fetch_file(self, remote: str, local: Path, size: int) -> None:
        with local.open("ab") as file:
            while (have := file.tell()) < size:
                with self._answering():
                    some = self._files.cat_file(remote, start=have, end=min(have + CHUNK, size))
                if not some:
                    return  # shorter than it should be: the digest will say so
                file.write(some)
                file.flush()

    def _copy(self, bundle: BundleFolder) -> None:
        """Copy what is not there yet; the manifest last, so that a bundle with one is whole."""
        bundle_id = bundle.manifest.bundle_id
        with self._answering():
            if self._files.exists(self._at(bundle_id, MANIFEST)):
                return
            for name in (*bundle.manifest.files, MANIFEST):
                self._files.put_file(str(bundle.path / name), self._made(self._at(bundle_id, name)))

    def _create(self, name: str, content: bytes) -> None:
        """Create an object, or raise `FileExistsError`: one of several who try at once succeeds."""
        self._files.pipe_file(self._made(f"{self._root}/{name}"), content, mode="create")

    def _made(self, path: str) -> str:
        """Return the path, with its folder made where the place has folders."""
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        return path

    def _names(self, folder: str) -> list[str]:
        try:
            found: list[str] = self._files.ls(f"{self._root}/{folder}", detail=False)
        except FileNotFoundError:
            return []
        return found

    def _at(self, bundle_id: str, name: str) -> str:
        return f"{self._root}/{bundle_id}/{name}"

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Turn whatever a library of some place raises into `RemoteUnavailable`; what we raise passes."""
        try:
            yield
        except (PublishedMeanwhile, FileExistsError):
            raise
        except Exception as error:  # each place has a library with errors of its own
            raise RemoteUnavailable(type(error).__name__) from error
