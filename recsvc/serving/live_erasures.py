"""Who was erased, as every worker knows it: for all bundles, from the very next question on."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from recsvc.domain.tombstones import Tombstones
from recsvc.store.erasures import ErasureStore


class LiveErasures:
    """The erasures of one store; safe to share between threads.

    Asking may raise `StoreUnavailable`.
    """

    def __init__(self, store: ErasureStore) -> None:
        self._store, self._lock = store, Lock()
        self._mark: int | None = None
        self._seq = 0
        self._known = Tombstones()

    def among(self, customer_ids: Iterable[str], mark: int | None) -> frozenset[str]:
        """Those of some customers who were erased before the database had this mark, or before this call without."""
        return self._now(mark).among(customer_ids)

    def _now(self, mark: int | None) -> Tombstones:
        if mark is not None and mark == self._mark:
            return self._known
        with self._lock:
            self._seq, new = self._store.after(self._seq)
            if new:
                key = self._known.key if self._known.hashes else self._store.key()
                self._known = Tombstones(key or self._known.key, self._known.hashes | new)
            self._mark = mark
            return self._known
