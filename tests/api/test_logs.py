from __future__ import annotations

import io
import json
import logging
import logging.config
import sys

import pytest

from recsvc.api.logs import JsonFormatter, log_config
from tests.service import Service

PATH = "/v1/customers/secret-person/recommendations?category=secret-category"


@pytest.fixture
def lines() -> io.StringIO:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("recsvc")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield written
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def test_a_request_is_one_line_without_ids_keys_or_query(service: Service, lines: io.StringIO) -> None:
    service.client.get(PATH, headers={"X-API-Key": service.key, "X-Request-ID": "r-1"})

    (line,) = map(json.loads, lines.getvalue().splitlines())
    assert line["route"] == "/v1/customers/{customer_id}/recommendations"
    assert (line["method"], line["status"], line["request_id"]) == ("GET", 200, "r-1")
    assert line["ms"] > 0
    assert "secret" not in lines.getvalue()
    assert service.key not in lines.getvalue()


def test_the_trace_of_the_caller_is_logged_and_handed_back(service: Service, lines: io.StringIO) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"  # the example of W3C Trace Context, section 3.2
    given = f"00-{trace}-b7ad6b7169203331-01"

    reply = service.client.get("/health/live", headers={"traceparent": given})

    assert reply.headers["traceparent"] == given
    assert json.loads(lines.getvalue())["trace_id"] == trace


@pytest.mark.parametrize(
    "given",
    [
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{'a' * 32}-{'0' * 16}-01",
        f"ff-{'a' * 32}-b7ad6b7169203331-01",
        f"00-{'A' * 32}-b7ad6b7169203331-01",
        "secret",
    ],
)
def test_a_trace_that_is_none_is_neither_logged_nor_handed_back(
    service: Service, lines: io.StringIO, given: str
) -> None:
    reply = service.client.get("/health/live", headers={"traceparent": given})

    assert "traceparent" not in reply.headers
    assert "trace_id" not in json.loads(lines.getvalue())


def test_an_unforeseen_error_is_500_and_logged_without_its_message(
    service: Service, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.recommender, "recommend", _break)

    reply = service.get(PATH)

    error, request = map(json.loads, lines.getvalue().splitlines())
    assert (reply.status_code, reply.json["code"]) == (500, "internal_error")
    assert "Traceback" not in reply.text
    assert error["error"] == "KeyError"
    assert error["request_id"] == request["request_id"] == reply.json["request_id"]
    assert any("test_logs.py" in frame for frame in error["stack"])
    assert "secret" not in reply.text + lines.getvalue()


def _break(*_: object, **__: object) -> None:
    raise KeyError("secret-person")


def test_an_exception_in_a_log_line_is_told_by_its_type() -> None:
    try:
        raise ValueError("secret-person")
    except ValueError:
        record = logging.LogRecord("recsvc", logging.ERROR, "", 0, "it broke", (), sys.exc_info())

    line = json.loads(JsonFormatter().format(record))

    assert (line["message"], line["error"], line["level"]) == ("it broke", "ValueError", "ERROR")
    assert "secret" not in str(line)


def test_the_configuration_is_one_that_logging_takes() -> None:
    configurator = logging.config.DictConfigurator(log_config("INFO"))

    assert isinstance(configurator.configure_formatter(configurator.config["formatters"]["json"]), JsonFormatter)


@pytest.mark.parametrize(
    ("message", "args", "written"),
    [
        (
            "Invalid request from ip=::1: Invalid HTTP Version: 'GET /v1/customers/secret-person x'",
            (),
            "Invalid request",
        ),
        ("Error handling request %s %s", ("GET", "/v1/customers/secret-person"), "Error handling request"),
        ("Booting worker with pid: %s", (7,), "Booting worker with pid: 7"),
    ],
)
def test_what_gunicorn_says_of_a_request_does_not_quote_it(
    message: str, args: tuple[object, ...], written: str
) -> None:
    configurator = logging.config.DictConfigurator(log_config("INFO"))
    record = logging.LogRecord("gunicorn.error", logging.WARNING, "", 0, message, args, None)

    configurator.configure_filter(configurator.config["filters"]["without_requests"]).filter(record)

    assert record.getMessage() == written
    assert configurator.config["loggers"]["gunicorn.error"]["filters"] == ["without_requests"]
