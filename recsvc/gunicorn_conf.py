"""How gunicorn runs the service; the master reads it before it forks the workers, which import the application.

Never preload: LMDB and SQL connections must be opened after fork, and native code must see the thread limits.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Protocol

from recsvc.api.gate import server_threads
from recsvc.api.logs import log_config
from recsvc.gunicorn_worker import TimedWorker
from recsvc.settings import load_settings

METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"
METRICS_PREFIX = "recsvc-metrics-"
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
MEMORY = "/dev/shm"  # noqa: S108  gunicorn makes its files there safely

_settings = load_settings()
bind = [address for address in (_settings.bind, _settings.admin_bind) if address]
workers = _settings.workers
threads = server_threads(_settings.threads) if _settings.threads > 1 else 1  # sync: the proxy bounds what waits
worker_class = "recsvc.gunicorn_worker.TimedWorker" if threads > 1 else "sync"
timeout = _settings.timeout_seconds
graceful_timeout = _settings.timeout_seconds
keepalive = 75  # longer than a load balancer's 60 s, so that it never meets a connection we just closed
limit_request_line = 8190  # the most gunicorn allows: longer ids go into a body
logconfig_dict = log_config(_settings.log_level)
control_socket_disable = True  # nobody needs it, and a container's user has no home to put it in
if Path(MEMORY).is_dir():
    worker_tmp_dir = MEMORY  # heartbeats on a disk that stalls would get workers killed


class Worker(Protocol):
    """What is needed of gunicorn's worker."""

    pid: int
    age: int


def on_starting(_server: object) -> None:
    """Set what the workers must find in their environment before they import anything native."""
    # Requests run in threads already; a pool of native threads inside each would make every request slower.
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    if METRICS_DIR not in os.environ:
        os.environ[METRICS_DIR] = tempfile.mkdtemp(prefix=METRICS_PREFIX)
    _multiprocess()


def child_exit(_server: object, worker: Worker) -> None:
    """Forget the gauges and the connections of a worker that ended; its counts stay."""
    _multiprocess().mark_process_dead(worker.pid)
    TimedWorker.held.note(worker.age, None)


def on_exit(_server: object) -> None:
    """Remove the folder of the metrics, unless the operator chose it."""
    if Path(os.environ[METRICS_DIR]).name.startswith(METRICS_PREFIX):
        shutil.rmtree(os.environ[METRICS_DIR], ignore_errors=True)


def _multiprocess() -> ModuleType:
    """Import what counts over processes, first when the server starts: it looks for the folder when it is imported.

    Not first when a worker ends: that is a signal handler, which another worker's end may interrupt half-way.
    """
    from prometheus_client import multiprocess

    return multiprocess
