from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from recsvc.bundle.store import BundleStore
from tests.soak.conftest import Shop

KILLS = 10
LATE_SHARE = 0.8  # half the kills fall into the last fifth of a fit, where files move into place


@pytest.mark.soak
def test_a_fit_killed_at_any_moment_leaves_a_live_bundle_that_verifies(shop: Shop, tmp_path: Path) -> None:
    started = time.monotonic()
    subprocess.check_output(shop.fit(tmp_path, day=30))
    seconds = time.monotonic() - started
    store = BundleStore(tmp_path)
    rng = np.random.default_rng(7)
    moments = [*rng.uniform(0, 1, KILLS // 2), *rng.uniform(LATE_SHARE, 1, KILLS - KILLS // 2)]

    for number, moment in enumerate(moments):
        killed = subprocess.Popen(
            shop.fit(tmp_path, day=29 - number), stdout=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(moment * seconds)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
        live = store.current_id()
        assert live is not None
        store.verify(live)

    subprocess.check_output(shop.fit(tmp_path, day=15))
    assert not list(tmp_path.glob(".staging-*"))
