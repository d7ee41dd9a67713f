"""A real service for a while: `recsvc serve` on a free loopback port, with a key that ends with it.

The demonstration and the packaging check use it, so it stands on the standard library and on commands alone.
"""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

START_SECONDS = 60.0
STOP_SECONDS = 40.0
LOG_TAIL = 2_000


@dataclass(frozen=True, slots=True)
class LiveService:
    """Where the service is, a key of scopes `read` and `ingest`, and the process, which leads a group of its own."""

    url: str
    key: str
    key_id: str
    process_id: int

    def get(self, path: str, **query: str | int) -> Any:  # Any: JSON
        """Reply to a GET."""
        tail = f"?{urllib.parse.urlencode(query, doseq=True)}" if query else ""
        return self._ask(urllib.request.Request(f"{self.url}{path}{tail}"))

    def post(self, path: str, body: object) -> Any:  # Any: JSON
        """Reply to a POST of JSON."""
        headers = {"Content-Type": "application/json"}
        return self._ask(urllib.request.Request(f"{self.url}{path}", json.dumps(body).encode(), headers))

    def _ask(self, request: urllib.request.Request) -> Any:  # Any: JSON
        request.add_header("Authorization", f"Bearer {self.key}")
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)


@contextmanager
def live_service(recsvc: Sequence[str], artifacts: Path | str) -> Iterator[LiveService]:
    """Start the service, wait until it is ready, and stop it cleanly in the end.

    Parameters
    ----------
    recsvc
        Command line of the program, without arguments.
    artifacts
        Folder with a live bundle, or URL of a place with one.

    Raises
    ------
    RuntimeError
        If the service ends or is not ready within a minute; with the end of its log.
    """
    url = f"http://127.0.0.1:{_free_port()}"
    options = ["--artifacts", str(artifacts)]
    scopes = ["--scope", "read", "--scope", "ingest"]
    create = [*recsvc, "keys", "create", "--name", "live check", *scopes, "--json", *options]
    made = json.loads(subprocess.check_output(create))
    try:
        with tempfile.TemporaryFile("w+") as log:
            command = [*recsvc, "serve", "--bind", url.removeprefix("http://"), *options]
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
            try:
                _wait_until_ready(url, process, log)
                yield LiveService(url, made["key"], made["key_id"], process.pid)
            finally:
                _stop(process)
    finally:
        subprocess.check_output([*recsvc, "keys", "revoke", made["key_id"], *options])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: IO[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/health/ready", timeout=5):
                return
        except OSError:  # refused while it starts, 503 until the bundle is loaded
            time.sleep(0.1)
    log.seek(0)
    raise RuntimeError(f"the service did not become ready:\n{log.read()[-LOG_TAIL:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the service to finish its requests and end; kill it only if it does not."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
