"""Keeping a folder of bundles at what is live in an object store; the workers notice the folder's pointer as ever.

While the store does not answer, or holds something damaged, what is there goes on serving. A bundle that was activated
by hand stays until the next publication.
"""

from __future__ import annotations

import fcntl
import logging
import threading

from recsvc.bundle.remote import RemoteBundles
from recsvc.bundle.store import BundleStore, replace_file
from recsvc.errors import RecsvcError

POLL_SECONDS = 30.0
TAKEN = "TAKEN"
LOCK = ".mirror-lock"
log = logging.getLogger(__name__)


class Mirror:
    """Copies what is published; of several workers, and several processes, one at a time does.

    Parameters
    ----------
    remote
        Opened after fork.
    """

    def __init__(self, remote: RemoteBundles, store: BundleStore) -> None:
        self._remote, self._store = remote, store
        self._problem: str | None = None

    def refresh(self) -> None:
        """Take up the latest publication, if it is a later one than the last that was taken up.

        Raises
        ------
        RemoteUnavailable, BundleError
            The folder is as it was, but for what was fetched so far.
        """
        with (self._store.root / LOCK).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # somebody is at it
            latest = self._remote.latest()
            if latest.bundle_id is None or latest.number <= self._taken():
                return
            self._remote.fetch(latest.bundle_id, self._store)
            self._store.activate(latest.bundle_id)
            self._took(latest.number)

    def publish(self, bundle_id: str) -> None:
        """Publish a bundle of the folder, unless somebody published since the last that was taken up.

        Raises
        ------
        PublishedMeanwhile, RemoteUnavailable, BundleError
        """
        publication = self._remote.publish(self._store.verify(bundle_id), self._taken())
        self._took(publication.number)

    def start(self) -> None:
        """Refresh now and every `POLL_SECONDS`, from a daemon thread."""
        threading.Thread(target=self._watch, name="bundle-mirror", daemon=True).start()

    def _watch(self) -> None:
        while True:
            self.try_refresh()
            threading.Event().wait(POLL_SECONDS)

    def try_refresh(self) -> None:
        """Refresh, or say once what is wrong."""
        try:
            self.refresh()
        except (RecsvcError, OSError) as error:
            problem = str(error) if isinstance(error, RecsvcError) else type(error).__name__
            if problem != self._problem:
                log.error("bundles not mirrored", extra={"problem": problem})
            self._problem = problem
        else:
            if self._problem:
                log.info("bundles mirrored again")
            self._problem = None

    def _took(self, number: int) -> None:
        replace_file(self._store.root / TAKEN, f"{number} {self._remote.url}\n")

    def _taken(self) -> int:
        """Number of the publication that was taken up last; 0 where none of this place was."""
        try:
            number, _, url = (self._store.root / TAKEN).read_text("utf-8").strip().partition(" ")
        except FileNotFoundError:
            return 0
        return int(number) if url == self._remote.url and number.isdecimal() else 0
