"""The working keys, held in memory for a moment, so that a request costs a hash and not a query.

There are few keys, so the whole table is read at once: a wrong key then costs the database nothing.
A revoked key is refused within `MAX_AGE_SECONDS`. A new one works within `MIN_AGE_SECONDS`: a key that
the ring does not know makes it read again, but not more often than that, whoever guesses keys.
When the store does not answer, nobody is let in (503): a revocation must not wait for it to come back. One reading is
tried at a time, and its failure is the answer to all who waited for it: a store that fails slowly must not be asked by
one thread after the other.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from recsvc.errors import RecsvcError
from recsvc.store.engine import StoreUnavailable
from recsvc.store.keys import ApiKey, KeyStore, digest_of, key_id_of

MAX_AGE_SECONDS = 4.0
MIN_AGE_SECONDS = 0.25


class KeyRefused(RecsvcError):
    """The key is wrong, unknown or revoked; which of these is nobody's business."""

    code = "key_refused"

    def __str__(self) -> str:
        return "this API key is not valid; make one with `recsvc keys create`"


@dataclass(frozen=True, slots=True)
class _Snapshot:
    keys: Mapping[str, ApiKey]
    read_at: float


class KeyRing:
    """Answers who a presented key belongs to; safe to share between threads.

    Parameters
    ----------
    store
        Where the keys are.
    clock
        Seconds that never run backwards.
    """

    def __init__(self, store: KeyStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = Lock()
        self._snapshot = _Snapshot({}, float("-inf"))
        self._readings = 0
        self._failure: StoreUnavailable | None = None

    def identify(self, presented: str) -> ApiKey:
        """Key that was presented.

        Raises
        ------
        KeyRefused
            If it is not a key that works.
        StoreUnavailable
            If the keys are out of date and cannot be read.
        """
        key_id = key_id_of(presented)
        if key_id is None:
            raise KeyRefused
        key = self._working(MAX_AGE_SECONDS).get(key_id) or self._working(MIN_AGE_SECONDS).get(key_id)
        if key is None or not hmac.compare_digest(key.digest, digest_of(presented)):
            raise KeyRefused
        return key

    def _working(self, max_age_seconds: float) -> Mapping[str, ApiKey]:
        readings, snapshot = self._readings, self._snapshot
        if self._clock() - snapshot.read_at < max_age_seconds:
            return snapshot.keys
        with self._lock:
            if self._readings == readings:  # else another thread has just tried
                self._read()
            if self._failure is not None:
                raise StoreUnavailable(self._failure.problem)
            return self._snapshot.keys

    def _read(self) -> None:
        read_at = self._clock()
        try:
            keys = {key.key_id: key for key in self._store.list() if key.revoked_at is None}
        except StoreUnavailable as error:
            self._failure = error
        else:
            self._failure, self._snapshot = None, _Snapshot(keys, read_at)
        self._readings += 1
