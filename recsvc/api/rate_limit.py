"""How often one key may ask: a token bucket a key, in the memory of one worker.

Workers do not count together: that would cost each request a round trip to a shared store, to be exact about a
number that only has to keep one caller from crowding out the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from recsvc.api.refusals import TooManyRequests

BURST_SECONDS = 1.0  # a bucket holds what one second lets in


class RateLimit:
    """Lets each key in as often as its bucket has a token; safe to share between threads.

    A full bucket is no entry, one that was drawn from is the moment at which it will be full again (the generic cell
    rate algorithm), so there is nothing to refill.

    Parameters
    ----------
    per_second
        Tokens a bucket gains a second, and the most it holds; 0 is no limit.
    clock
        Seconds that never run backwards.
    """

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds_a_token = 1.0 / per_second if per_second else 0.0
        self._clock = clock
        self._lock = Lock()
        self._full_at: dict[str, float] = {}

    def take(self, key_id: str) -> None:
        """Take a token of a key that works: only those, so there are never more buckets than keys.

        Raises
        ------
        TooManyRequests
            If there is none; says when there will be.
        """
        if not self._seconds_a_token:
            return
        with self._lock:
            now = self._clock()
            full_at = max(self._full_at.get(key_id, now), now) + self._seconds_a_token
            wait_seconds = full_at - now - BURST_SECONDS
            if wait_seconds <= self._seconds_a_token / 1e6:  # sums of fractions of a second are not exact
                self._full_at[key_id] = full_at
                return
        raise TooManyRequests(wait_seconds)
