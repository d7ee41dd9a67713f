"""Bundles on disk: written whole, never changed, one of them live.

A bundle is staged in a hidden folder, synced, renamed to its id, and only then does the pointer file `CURRENT` move, in
one rename. Killed at any moment, `CURRENT` names a bundle that verifies. `HISTORY` lists the ids that were ever live.
What training tells people of a bundle lies in `reports/`, outside it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from recsvc.bundle.manifest import MANIFEST, FileEntry, Manifest, created_order, read_manifest
from recsvc.errors import BundleCorrupt, BundleError, BundleNotFound, BundleNotLive, ConfigError

CURRENT = "CURRENT"
HISTORY = "HISTORY"
LOCK = ".lock"
STAGING = ".staging-"
DELETED = ".deleted-"
REPORTS = "reports"
READ_WHOLE = (".json", ".txt")
BUNDLE_ID = re.compile(r"\d{8}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class BundleFolder:
    """One bundle on disk."""

    path: Path
    manifest: Manifest


class BundleStore:
    """A folder of bundles and the pointer to the live one.

    Raises
    ------
    ConfigError
        If the folder cannot be created, or is a file.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError("artifacts", f"{root} is not a folder that can be used", "name another") from error

    def current_id(self) -> str | None:
        """Id of the live bundle; None when nothing was ever published."""
        try:
            return (self.root / CURRENT).read_text(encoding="ascii", errors="replace").strip() or None
        except FileNotFoundError:
            return None

    def current(self) -> BundleFolder:
        """Return the live bundle.

        Raises
        ------
        BundleNotFound
            If there is none.
        """
        live = self.current_id()
        if live is None:
            raise BundleNotFound(f"is live in {self.root}")
        return self.get(live)

    def get(self, bundle_id: str) -> BundleFolder:
        """Return the bundle of that id.

        Raises
        ------
        BundleNotFound, BundleCorrupt, BundleVersionUnsupported
        """
        if not BUNDLE_ID.fullmatch(bundle_id):
            raise BundleNotFound(bundle_id[:80])
        manifest = read_manifest(self.root / bundle_id)
        return BundleFolder(self.root / bundle_id, manifest)

    def bundles(self) -> list[BundleFolder]:
        """Every readable bundle, oldest first."""
        found = []
        for path in sorted(self.root.iterdir()):
            with suppress(BundleError):
                found.append(self.get(path.name))
        return sorted(found, key=lambda bundle: created_order(bundle.manifest))

    def lived(self) -> list[BundleFolder]:
        """Every readable bundle that was ever live, oldest first."""
        history = self._history()
        return [bundle for bundle in self.bundles() if bundle.manifest.bundle_id in history]

    def reports_on(self, bundle_id: str) -> list[Path]:
        """Files for people that lie beside a bundle: not part of it, but gone when it is pruned."""
        return sorted((self.root / REPORTS).glob(f"{bundle_id}.*"))

    def verify(self, bundle_id: str) -> BundleFolder:
        """Compare every file with the digest in the manifest; slow on purpose, workers check sizes only.

        Raises
        ------
        BundleCorrupt
            Naming the first file that is missing or differs.
        """
        bundle = self.get(bundle_id)
        check_files(bundle, deep=True)
        return bundle

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Provide an empty hidden folder to write a bundle into; gone afterwards unless `publish` took it."""
        with ExitStack() as held:
            with _locked(self.root / LOCK):
                self._sweep()
                folder = Path(tempfile.mkdtemp(prefix=STAGING, dir=self.root))
                held.enter_context(_locked(folder / LOCK))
            held.callback(shutil.rmtree, folder, ignore_errors=True)
            yield folder

    def add(self, staged: Path, manifest: Manifest, *, live: bool = False) -> BundleFolder:
        """Complete a staged folder's manifest with digests and its id, move it into place, make it live if asked."""
        files = {path.name: file_entry(path) for path in sorted(staged.iterdir()) if path.name != LOCK}
        manifest = manifest.model_copy(update={"files": files}).identified()
        (staged / MANIFEST).write_bytes(manifest.to_bytes())
        for path in staged.iterdir():
            sync(path)
        staged.chmod(0o755)
        with _locked(self.root / LOCK):  # other runs sweep under this lock, so the folder's own is not needed any more
            (staged / LOCK).unlink(missing_ok=True)
            sync(staged)
            self._move_into_place(staged, manifest)
            return self._made_live(manifest.bundle_id) if live else self.get(manifest.bundle_id)

    def activate(self, bundle_id: str) -> BundleFolder:
        """Verify a bundle and make it the live one.

        Raises
        ------
        BundleError
            If it does not verify; the live one stays.
        """
        with _locked(self.root / LOCK):
            return self._made_live(bundle_id)

    def rollback(self, leaving: str | None = None) -> BundleFolder:
        """Go back to the newest bundle that was live before the live one was made.

        Parameters
        ----------
        leaving
            The bundle the caller takes for live, so that a request sent twice goes back once.

        Raises
        ------
        BundleNotFound
            If there is none.
        BundleNotLive
            If another one is live than the one to leave.
        """
        with _locked(self.root / LOCK):
            return self._made_live(self._before_live(leaving))

    def _before_live(self, leaving: str | None) -> str:
        live = self.current_id()
        if leaving is not None and leaving != live:
            raise BundleNotLive(live)
        if live is None:
            raise BundleNotFound(f"is live in {self.root}")
        readable = [bundle.manifest.bundle_id for bundle in self.bundles()]
        before = readable[: readable.index(live)] if live in readable else readable  # it may be damaged, or gone
        earlier = [bundle_id for bundle_id in before if bundle_id in self._history()]
        if not earlier:
            raise BundleNotFound(f"was live before {live}", "nothing to roll back to")
        return earlier[-1]

    def prune(self, keep: int) -> list[str]:
        """Delete what is older than the newest `keep` bundles that were ever live; returns the ids deleted.

        Bundles that never went live do not count: refused nights leave something to roll back to. The live one stays.
        """
        with _locked(self.root / LOCK):
            kept = {self.current_id(), *self._history()}
            bundles = self.bundles()
            lived = [number for number, bundle in enumerate(bundles) if bundle.manifest.bundle_id in kept]
            oldest = lived[-keep] if len(lived) >= keep else 0
            doomed = [bundle for bundle in bundles[:oldest] if bundle.manifest.bundle_id != self.current_id()]
            for bundle in doomed:
                for report in self.reports_on(bundle.path.name):
                    report.unlink()
                shutil.rmtree(self._hidden(bundle.path))
        return [bundle.manifest.bundle_id for bundle in doomed]

    def _made_live(self, bundle_id: str) -> BundleFolder:
        bundle = self.verify(bundle_id)
        self._remember(bundle_id)
        replace_file(self.root / CURRENT, bundle_id + "\n")
        return bundle

    def _move_into_place(self, staged: Path, manifest: Manifest) -> None:
        target = self.root / manifest.bundle_id
        if target.exists():
            try:
                self.verify(manifest.bundle_id)
                return  # the same content is there already
            except BundleError:
                self._hidden(target)
        staged.rename(target)
        sync(self.root)

    def _hidden(self, path: Path) -> Path:
        """Move a bundle out of sight in one rename, for this or a later run to delete; the folder it is in."""
        folder = Path(tempfile.mkdtemp(prefix=DELETED, dir=self.root))
        path.rename(folder / path.name)
        return folder

    def _remember(self, bundle_id: str) -> None:
        history = self._history()
        if bundle_id not in history:
            replace_file(self.root / HISTORY, "".join(f"{one}\n" for one in [*history, bundle_id]))

    def _history(self) -> list[str]:
        path = self.root / HISTORY
        return path.read_text(encoding="ascii", errors="replace").split() if path.exists() else []

    def _sweep(self) -> None:
        """Remove what killed runs left behind; a folder whose lock is held is in use."""
        for path in [*self.root.glob(f"{STAGING}*"), *self.root.glob(f"{DELETED}*")]:
            try:
                with _locked(path / LOCK, wait=False):
                    shutil.rmtree(path)
            except (BlockingIOError, FileNotFoundError):
                continue


def check_files(bundle: BundleFolder, *, deep: bool) -> None:
    """Check that every file of the manifest is there in its size, and with `deep` in its digest.

    The small ones that are read whole are always digested: a library that parses a damaged text may end the process.

    Raises
    ------
    BundleCorrupt
    """
    for name, expected in bundle.manifest.files.items():
        path = bundle.path / name
        if not path.is_file():
            raise BundleCorrupt(bundle.path.name, f"{name} is missing")
        if path.stat().st_size != expected.bytes:
            raise BundleCorrupt(bundle.path.name, f"{name} has {path.stat().st_size} bytes, not {expected.bytes}")
        if (deep or path.suffix in READ_WHOLE) and file_entry(path) != expected:
            raise BundleCorrupt(bundle.path.name, f"{name} is not the file that was published (sha256 differs)")


def replace_file(path: Path, text: str) -> None:
    """Replace a small file in one rename, durably."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-", delete=False) as new:
        new.write(text)
        new.flush()
        os.fsync(new.fileno())
    Path(new.name).chmod(0o644)
    Path(new.name).replace(path)
    sync(path.parent)


@contextmanager
def _locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def file_entry(path: Path) -> FileEntry:
    """Size and digest of a file, as the manifest records them."""
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return FileEntry(sha256=digest, bytes=path.stat().st_size)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
