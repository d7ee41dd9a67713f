"""Who was erased, as every worker knows it: for all bundles, from the very next question on."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from recsvc.domain.tombstones import Tombstones
from recsvc.store.erasures import ErasureStore
from recsvc.store.watch import CommitWatch


class LiveErasures:
    """The erasures of one store; safe to share between threads.

    Asking may raise `StoreUnavailable`.
    """

    def __init__(self, store: ErasureStore, watch: CommitWatch) -> None:
        self._store, self._watch, self._lock = store, watch, Lock()
        self._mark: int | None = None
        self._seq = 0
        self._known = Tombstones()

    def among(self, customer_ids: Iterable[str]) -> frozenset[str]:
        """Those of some customers who were erased before this call."""
        return self._now().among(customer_ids)

    def _now(self) -> Tombstones:
        mark = self._watch.mark()
        if mark is not None and mark == self._mark:
            return self._known
        with self._lock:
            self._seq, new = self._store.after(self._seq)
            if new:
                key = self._known.key if self._known.hashes else self._store.key()
                self._known = Tombstones(key or self._known.key, self._known.hashes | new)
            self._mark = mark
            return self._known
