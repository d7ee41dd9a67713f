"""gunicorn's threaded worker, with a time by which a request must have arrived, and a fair share of the connections.

gthread reads head and body of a request without a limit, so a client that sends a byte now and then would keep a
thread, and with a key one of the working turns, for as long as it likes. And whichever worker wakes first takes all
connections that come at once, which then stay with it while they are kept: sixteen on one core beside an idle one.
"""

from __future__ import annotations

import mmap
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

ARRIVAL_SECONDS = 10.0  # a megabyte in this time is 0.8 Mbit/s
LOOK_EVERY_SECONDS = 0.5
LEAVE_SECONDS = 0.001  # an idle worker takes a connection within a tenth of it
TOLERATED = 1  # connections more than another worker


class Held:
    """Connections that each worker of one server holds, in memory they share; of those that accept some.

    Parameters
    ----------
    places : at least 1
        More than workers that are alive at once.
    """

    def __init__(self, places: int = 256) -> None:
        self._counts = memoryview(mmap.mmap(-1, 4 * places)).cast("i")  # 0: accepts none, n + 1: holds n

    def note(self, age: int, n: int | None) -> None:
        """Note how many the worker of an age holds; None when it accepts no more."""
        self._counts[age % len(self._counts)] = 0 if n is None else n + 1

    def fewest(self) -> int:
        """The fewest that a worker holds; 0 when none accepts."""
        return min((one for one in self._counts.tolist() if one), default=1) - 1


class TimedWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Stops listening to a connection `ARRIVAL_SECONDS` after it began on a request.

    What has not arrived by then is cut off, which the parser or the handler meets as an early end. A request that had
    arrived is answered all the same, however long that takes: only its connection is not kept.
    """

    held = Held()  # made before the workers are: they are forked from here

    def init_process(self) -> None:
        """Watch from a thread of this worker."""
        self._begun: dict[int, tuple[float, socket.socket]] = {}
        threading.Thread(target=self._watch, name="arrival-watch", daemon=True).start()
        super().init_process()

    def notify(self) -> None:
        """Tell gunicorn that this worker lives, and the other workers how many connections it holds."""
        super().notify()
        self.held.note(self.age, self.nr_conns if self._accepting else None)

    def accept(self, listener: Any) -> None:  # Any: gunicorn's socket
        """Accept a connection, unless a worker that holds fewer takes it first."""
        if self.nr_conns > self.held.fewest() + TOLERATED:
            time.sleep(LEAVE_SECONDS)
        super().accept(listener)
        self.held.note(self.age, self.nr_conns)

    def handle(self, conn: Any) -> Any:  # Any: gunicorn's connection, and whether to keep it
        """Handle a request within its time."""
        number = id(conn)
        self._begun[number] = (time.monotonic(), conn.sock)
        try:
            return super().handle(conn)
        finally:
            del self._begun[number]

    def _watch(self) -> None:
        while True:
            time.sleep(LOOK_EVERY_SECONDS)
            late = time.monotonic() - ARRIVAL_SECONDS
            for begun, connection in self._begun.copy().values():
                if begun < late:
                    with suppress(OSError):  # it is closed already
                        connection.shutdown(socket.SHUT_RD)
