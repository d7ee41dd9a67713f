"""The service in real processes: gunicorn, two workers, a real socket, the fake recommender."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from recsvc.cli import serve as serve_command
from recsvc.errors import ConfigError
from tests.gunicorn_process import Running


def test_serve_hands_over_to_gunicorn_with_what_was_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[tuple[str, list[str], dict[str, str]]] = []
    monkeypatch.setattr(os, "execve", lambda *call: started.append(call))

    arguments = ["--artifacts", str(tmp_path), "--bind", "0.0.0.0:80", "--workers", "3"]
    CliRunner().invoke(serve_command.serve, arguments, catch_exceptions=False)

    ((program, command, environment),) = started
    assert (program, command[0]) == (sys.executable, sys.executable)
    assert command[1:] == ["-m", "gunicorn", "--config", "python:recsvc.gunicorn_conf", "recsvc.wsgi:build_app()"]
    assert environment["RECSVC_ARTIFACTS"] == str(tmp_path)
    assert environment["RECSVC_BIND"] == "0.0.0.0:80"
    assert environment["RECSVC_WORKERS"] == "3"


def test_serve_refuses_an_address_that_is_none(tmp_path: Path) -> None:
    result = CliRunner().invoke(serve_command.serve, ["--artifacts", str(tmp_path), "--bind", "everywhere"])

    assert isinstance(result.exception, ConfigError)
    assert "RECSVC_BIND" in str(result.exception)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = Running(tmp_path_factory.mktemp("serve"))
    made.wait()
    yield made
    made.kill()


def test_one_worker_answers_the_metrics_of_all(running: Running) -> None:
    for _ in range(40):
        running.get("/v1/customers/a/recommendations?k=1")

    page = running.get("/metrics").decode()

    route = 'route="/v1/customers/{customer_id}/recommendations"'
    assert f'recsvc_http_request_seconds_count{{method="GET",{route},status="200"}} 40.0' in page
    assert 'recsvc_slates_total{strategy="popular"} 40.0' in page


def test_ids_that_need_escaping_reach_the_recommender_through_a_real_socket(running: Running) -> None:
    path = "/v1/customers/a%2Fb//c%20d%0A%252F%3F&%23%C3%A9%F0%9F%9B%92/recommendations/recommendations?k=1"

    assert json.loads(running.get(path))["strategy"] == "personal"


def test_a_stop_is_clean_the_log_is_json_and_the_metrics_folder_is_gone(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)

    assert running.process.wait(timeout=30) == 0
    lines = [json.loads(line) for line in running.log.read_text().splitlines()]
    assert {"gunicorn.error", "recsvc.requests"} <= {line["logger"] for line in lines}
    assert list(running.log.parent.glob("recsvc-metrics-*")) == []
