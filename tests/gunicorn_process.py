"""The service in real processes: gunicorn, a real socket, the fake recommender unless another application is named."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recsvc.store.engine import open_store
from recsvc.store.keys import KeyStore

ROOT = Path(__file__).parents[1]
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes


class Running:
    def __init__(self, folder: Path, application: str = "tests.fake_wsgi:build_app()", **settings: object) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        engine = open_store(f"sqlite:///{folder / 'live.sqlite'}")
        self.key, _ = KeyStore(engine).create("tests", ["read"], created_at=datetime.now(UTC))
        engine.dispose()
        self.log = folder / "log"
        chosen = {"RECSVC_ARTIFACTS": str(folder), "RECSVC_BIND": self.address, "TMPDIR": str(folder)}
        chosen |= {f"RECSVC_{name.upper()}": str(value) for name, value in settings.items()}
        command = [sys.executable, "-m", "gunicorn", "--config", "python:recsvc.gunicorn_conf", application]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=os.environ | chosen, stderr=log)

    def ask(self, path: str, **headers: str) -> Answered:
        """Reply to a GET, whatever its status."""
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request("GET", path, headers={"X-API-Key": self.key, **headers})
            reply = connection.getresponse()
            return Answered(reply.status, dict(reply.getheaders()), reply.read())
        finally:
            connection.close()

    def get(self, path: str) -> bytes:
        answered = self.ask(path)
        assert answered.status == 200, answered
        return answered.body

    def workers(self) -> list[int]:
        """Ids of the worker processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(number) for number in children.read_text().split()]

    def wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.get("/health/live")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(self.log.read_text())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
