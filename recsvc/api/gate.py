"""How many requests a worker works on, and how many may wait: beyond that it says 503 at once instead of collapsing.

The server has more threads than may work at once, so that a request which must be refused does not wait behind those
that are served. Routes without a scope (health, documentation) do not pass the gate: an overloaded process is not dead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from recsvc.api.refusals import Overloaded

WAITING_PER_THREAD = 8  # each waits for eight others at most, so an answer takes nine times as long, not forever
MAX_WAIT_SECONDS = 2.0  # who has waited longer has likely given up
SPARE_THREADS = 8  # refuse, and answer health checks


def server_threads(threads: int) -> int:
    """Threads the server needs for `threads` that work, those that wait, and the refusals."""
    return threads * (1 + WAITING_PER_THREAD) + SPARE_THREADS


def _uncounted() -> None:
    """Count nothing."""


class Turns:
    """Turns to work, handed on in the order they were asked for; safe to share between threads.

    A semaphore lets whoever comes just then overtake those it is about to wake: a few would wait for a second.
    """

    def __init__(self, n: int) -> None:
        self._free = n
        self._lock = Lock()
        self._waiting: deque[Lock] = deque()

    def take(self, max_wait_seconds: float) -> bool:
        """Wait for a turn; False when none came in time."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=max_wait_seconds):
            return True
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it came at the last moment

    def give_back(self) -> None:
        """Hand a turn on to whoever has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class Gate:
    """Lets `threads` requests work at once and some more wait; safe to share between threads.

    Parameters
    ----------
    threads
        Requests that work at once.
    max_wait_seconds
        The longest that one waits for its turn.
    refused
        Called once for every request that was not let in.
    """

    def __init__(
        self, threads: int, max_wait_seconds: float = MAX_WAIT_SECONDS, refused: Callable[[], None] = _uncounted
    ) -> None:
        self._max_wait_seconds = max_wait_seconds
        self._refused = refused
        self._turns = Turns(threads)
        self._places = BoundedSemaphore(threads * (1 + WAITING_PER_THREAD))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and give it back.

        Raises
        ------
        Overloaded
            If too many wait already, or the turn did not come in time.
        """
        if not self._places.acquire(blocking=False):
            raise self._overloaded()
        try:
            if not self._turns.take(self._max_wait_seconds):
                raise self._overloaded()
            try:
                yield
            finally:
                self._turns.give_back()
        finally:
            self._places.release()

    def _overloaded(self) -> Overloaded:
        self._refused()
        return Overloaded()
