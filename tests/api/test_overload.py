"""More than a worker can do, in a real server."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recsvc.api.gate import WAITING_PER_THREAD, Gate
from recsvc.api.refusals import Overloaded
from tests.fake_wsgi import BEGUN, HELD, RELEASE
from tests.gunicorn_process import Running

THREADS = 2
ROOM = THREADS * (1 + WAITING_PER_THREAD)
HELD_PATH = f"/v1/customers/{HELD}"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path, workers=1, threads=THREADS)
    made.wait()
    yield made
    made.kill()


def test_what_exceeds_the_room_is_refused_at_once_and_nothing_collapses(running: Running, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2 * ROOM) as clients:
        asked = [clients.submit(running.ask, HELD_PATH) for _ in range(2 * ROOM)]
        while sum(one.done() for one in asked) < 2 * ROOM - THREADS:  # those that wait give up after two seconds
            assert running.ask("/health/live").status == 200
        (tmp_path / RELEASE).touch()
        replies = [one.result() for one in asked]

    refused = [reply for reply in replies if reply.status == 503]
    assert Counter(reply.status for reply in replies) == {200: THREADS, 503: 2 * ROOM - THREADS}
    assert all(b'"overloaded"' in reply.body and reply.headers["Retry-After"] for reply in refused)
    assert running.ask("/v1/customers/customer-1").status == 200
    assert f"recsvc_shed_requests_total {2 * ROOM - THREADS}.0" in running.get("/metrics").decode()


def test_a_stop_finishes_what_is_being_answered(running: Running, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as client:
        asked = client.submit(running.ask, HELD_PATH)
        while not (tmp_path / BEGUN).exists():
            time.sleep(0.02)
        running.process.send_signal(signal.SIGTERM)
        (tmp_path / RELEASE).touch()
        reply = asked.result()

    assert reply.status == 200
    assert running.process.wait(timeout=30) == 0


def test_a_turn_is_given_back_when_the_work_fails() -> None:
    gate = Gate(1, max_wait_seconds=0.01)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), gate.turn():
            1 / 0  # noqa: B018

    with gate.turn(), pytest.raises(Overloaded), gate.turn():
        pass
    with gate.turn():
        pass
