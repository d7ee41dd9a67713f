"""32 processes draw from one pool while half of them are killed: every code at most once, and none lost."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from recsvc.store.coupons import CouponStore, PoolExhausted
from recsvc.store.engine import open_store
from recsvc.store.schema import coupons

PROCESSES, CODES = 32, 4_000
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def draw_until_empty(url: str, who: int, told: Path) -> None:
    """Draw a few codes at a time and write down each that was promised, until there are none or somebody kills us."""
    engine = open_store(url)
    store = CouponStore(engine)
    with told.open("a", encoding="utf-8", buffering=1) as file:
        for turn in range(CODES):
            customers = [f"{who}-{turn}-{n}" for n in range(3)]
            try:
                drawn = store.draw("pool", "spring", customers, at=NOW)
            except PoolExhausted:
                break
            file.writelines(f"{customer} {code}\n" for customer, code in drawn.items())
    engine.dispose()


@pytest.mark.soak
@pytest.mark.timeout(1_800)
def test_half_of_them_killed_no_code_is_given_twice_and_none_is_lost(store_url: str, tmp_path: Path) -> None:
    engine = open_store(store_url)
    store = CouponStore(engine)
    store.generate("pool", CODES)
    spawn = multiprocessing.get_context("spawn")
    files = [tmp_path / f"{who}.txt" for who in range(PROCESSES)]
    running = [spawn.Process(target=draw_until_empty, args=(store_url, who, file)) for who, file in enumerate(files)]
    for process in running:
        process.start()
    dice = random.Random(7)
    doomed = dice.sample(running, PROCESSES // 2)
    for process in doomed:
        _until(lambda: any(file.exists() and file.stat().st_size for file in files))
        time.sleep(dice.uniform(0, 0.3))
        if process.pid is not None and process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
    for process in running:
        process.join()

    told = [line.split() for file in files if file.exists() for line in file.read_text("utf-8").splitlines()]
    with engine.connect() as connection:
        rows = connection.execute(sa.select(coupons.c.code, coupons.c.customer_key)).all()
    engine.dispose()
    drawn = {row.code for row in rows if row.customer_key is not None}
    assert len(rows) == CODES
    whole = [code for _, code in (pair for pair in told if len(pair) == 2)]
    assert max(Counter(whole).values()) == 1
    assert set(whole) <= drawn  # what was promised is on record
    assert CODES - len(drawn) < 3  # the survivors went on until there were too few
    assert sum(process.exitcode == -signal.SIGKILL for process in running) >= PROCESSES // 4


def _until(happened: object) -> None:
    while not happened():  # type: ignore[operator]
        time.sleep(0.05)
