"""More than a worker can do, in a real server."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recsvc.api.gate import WAITING_PER_THREAD, Gate, Turns
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


def test_turns_come_in_the_order_they_were_asked_for() -> None:
    turns, order = Turns(1), []
    assert turns.take(1.0)

    def wait(number: int) -> None:
        assert turns.take(30.0)
        order.append(number)
        turns.give_back()

    waiting = []
    for number in range(5):
        waiting.append(threading.Thread(target=wait, args=(number,)))
        waiting[-1].start()
        while len(turns._waiting) <= number:
            time.sleep(0.001)
    turns.give_back()
    for one in waiting:
        one.join()

    assert order == [0, 1, 2, 3, 4]
    assert turns.take(0.0)
    assert not turns.take(0.0)


def test_no_turn_is_lost_or_made_up_where_many_give_up_waiting() -> None:
    turns, at_work, most = Turns(3), [], []

    def work() -> None:
        for _ in range(200):
            if turns.take(0.0001):
                at_work.append(1)
                most.append(len(at_work))
                at_work.pop()
                turns.give_back()

    workers = [threading.Thread(target=work) for _ in range(16)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()

    assert max(most) <= 3
    assert [turns.take(0.0) for _ in range(4)] == [True, True, True, False]
