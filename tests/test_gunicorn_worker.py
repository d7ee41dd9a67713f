"""Which worker takes a connection: counts that processes share, and who waits for whom."""

from __future__ import annotations

import os
import socket

import pytest

from recsvc import gunicorn_worker
from recsvc.gunicorn_worker import LEAVE_SECONDS, Held, TimedWorker


def test_the_fewest_are_those_of_a_worker_that_accepts() -> None:
    held = Held(places=4)

    assert held.fewest() == 0
    held.note(1, 5)
    held.note(2, 0)
    held.note(3, 7)
    assert held.fewest() == 0
    held.note(2, None)
    assert held.fewest() == 5
    held.note(5, 3)  # the place of the first, who is long gone
    assert held.fewest() == 3


def test_processes_know_of_one_another() -> None:
    held = Held()
    held.note(1, 9)

    child = os.fork()
    if not child:
        held.note(2, held.fewest() - 1)
        os._exit(0)

    os.waitpid(child, 0)
    assert held.fewest() == 8


@pytest.mark.parametrize(("mine", "others", "waited"), [(5, 3, [LEAVE_SECONDS]), (5, 4, []), (5, 9, []), (5, None, [])])
def test_who_holds_more_leaves_a_connection_to_the_others_for_a_moment(
    mine: int, others: int | None, waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[float] = []
    monkeypatch.setattr(gunicorn_worker.time, "sleep", found.append)
    worker = TimedWorker.__new__(TimedWorker)
    worker.age, worker.nr_conns, worker.held = 1, mine, Held()
    worker.held.note(1, mine)
    worker.held.note(2, others)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        worker.accept(listener)  # the others took it meanwhile: there is none

    assert found == waited
    assert worker.nr_conns == mine
