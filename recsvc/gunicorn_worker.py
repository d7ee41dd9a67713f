"""gunicorn's threaded worker, with a time by which a request must have arrived.

gthread reads head and body of a request without a limit, so a client that sends a byte now and then would keep a
thread, and with a key one of the working turns, for as long as it likes.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

ARRIVAL_SECONDS = 10.0  # a megabyte in this time is 0.8 Mbit/s
LOOK_EVERY_SECONDS = 0.5


class TimedWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Stops listening to a connection `ARRIVAL_SECONDS` after it began on a request.

    What has not arrived by then is cut off, which the parser or the handler meets as an early end. A request that had
    arrived is answered all the same, however long that takes: only its connection is not kept.
    """

    def init_process(self) -> None:
        """Watch from a thread of this worker."""
        self._begun: dict[int, tuple[float, socket.socket]] = {}
        threading.Thread(target=self._watch, name="arrival-watch", daemon=True).start()
        super().init_process()

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
