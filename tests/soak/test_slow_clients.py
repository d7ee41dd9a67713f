"""Clients that send a byte now and then: cut off in time, while others are answered."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from recsvc.api.gate import server_threads
from recsvc.gunicorn_worker import ARRIVAL_SECONDS, LOOK_EVERY_SECONDS
from tests.gunicorn_process import Running

THREADS = 2
LATEST_SECONDS = ARRIVAL_SECONDS + LOOK_EVERY_SECONDS + 2


@pytest.mark.soak
@pytest.mark.parametrize("part", ["head", "body"])
def test_a_request_that_never_arrives_is_cut_off_and_others_are_answered_again(tmp_path: Path, part: str) -> None:
    running = Running(tmp_path, workers=1, threads=THREADS)
    running.wait()
    host, _, port = running.address.partition(":")
    slow = [
        socket.create_connection((host, int(port)))
        for _ in range(server_threads(THREADS) + 4 if part == "head" else THREADS)
    ]
    head = f"POST /v1/recommendations HTTP/1.1\r\nHost: x\r\nX-API-Key: {running.key}\r\n"
    whole = f"{head}Content-Type: application/json\r\nContent-Length: 500\r\n\r\n"

    began = time.monotonic()
    for client in slow:
        client.sendall((head if part == "head" else whole).encode())
    time.sleep(ARRIVAL_SECONDS / 2)
    for client in slow:
        client.sendall(b"x")  # a byte does not buy more time
    for client in slow[:THREADS]:
        client.settimeout(LATEST_SECONDS)
        while client.recv(65_536):
            pass
    cut_off_after = time.monotonic() - began
    answered = running.ask("/v1/customers/customer-1").status
    for client in slow:
        client.close()
    running.kill()

    assert ARRIVAL_SECONDS - 1 < cut_off_after < LATEST_SECONDS
    assert answered == 200
