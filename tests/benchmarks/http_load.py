"""Load on a service over keep-alive connections, and how long each answer took; from a process of its own.

Raw sockets and one selector: a client that parsed replies would take more of the two cores than the service does.

.venv/bin/python -m tests.benchmarks.http_load HOST PORT CONNECTIONS SECONDS < requests, one a line, as JSON strings
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle

WARM_UP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """What came back: answers a second, and seconds within which half and 99 % of them came."""

    per_second: float
    p50: float
    p99: float
    failures: int


def load(address: str, requests: Sequence[str], *, connections: int, seconds: float) -> Load:
    """Ask one request after the other over some connections, and measure.

    Parameters
    ----------
    requests
        Whole HTTP requests.
    """
    host, _, port = address.rpartition(":")
    command = [sys.executable, "-m", "tests.benchmarks.http_load", host, port, str(connections), str(seconds)]
    printed = subprocess.check_output(command, input="\n".join(map(json.dumps, requests)), text=True)
    return Load(**json.loads(printed))


def request_line(path: str, key: str) -> str:
    """A GET as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n"


class Connection:
    """One connection that has one request under way at a time."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self.asked_at = 0.0

    def ask(self, request: bytes) -> None:
        """Send a request."""
        self._received = b""
        self.asked_at = time.perf_counter()
        self.socket.sendall(request)

    def status(self) -> int | None:
        """Status of the answer once it is here whole; None before.

        Raises
        ------
        ConnectionError
            If the service closes the connection.
        """
        some = self.socket.recv(65_536)
        if not some:
            raise ConnectionError
        self._received += some
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return None
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        return int(head[9:12]) if len(body) >= length else None


def run(address: tuple[str, int], requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    """Measure after a second of warming up."""
    following, taken, failures = cycle(requests), [], 0
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            connection = Connection(address)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.ask(next(following))
        counted_from = time.perf_counter() + WARM_UP_SECONDS
        end = counted_from + seconds
        while (now := time.perf_counter()) < end:
            for key, _ in selector.select(timeout=1.0):
                status = key.data.status()
                if status is not None:
                    if now >= counted_from:
                        taken.append(time.perf_counter() - key.data.asked_at)
                        failures += status != 200
                    key.data.ask(next(following))
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    taken.sort()
    return Load(len(taken) / seconds, taken[len(taken) // 2], taken[len(taken) * 99 // 100], failures)


if __name__ == "__main__":
    _host, _port, _connections, _seconds = sys.argv[1:]
    _requests = [json.loads(line).encode() for line in sys.stdin]
    _found = run((_host, int(_port)), _requests, int(_connections), float(_seconds))
    sys.stdout.write(json.dumps({name: getattr(_found, name) for name in Load.__slots__}))
