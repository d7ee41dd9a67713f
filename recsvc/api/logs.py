"""Logs as one JSON object a line on stderr, ours and gunicorn's alike."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import orjson

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
QUOTING = ("Invalid request", "Error handling request")  # how gunicorn begins what it says of one


class JsonFormatter(logging.Formatter):
    """Writes time, level, logger, message, and whatever `extra` adds to a record."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for one record; of an exception only the type is told, its message may quote an id."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        line.update({name: value for name, value in vars(record).items() if name not in STANDARD})
        return orjson.dumps(line, default=str).decode()


class WithoutRequests(logging.Filter):
    """Keeps what gunicorn quotes of a request it cannot read, or cannot answer, out of the log: ids, keys, queries."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the message to what it begins with."""
        for said in QUOTING:
            if str(record.msg).startswith(said):
                record.msg, record.args = said, ()
        return True


def log_config(level: str) -> dict[str, object]:
    """Configuration for `logging.config.dictConfig`, and for gunicorn, which writes to `gunicorn.error`."""
    to_stderr = {"handlers": ["stderr"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "recsvc.api.logs.JsonFormatter"}},
        "filters": {"without_requests": {"()": "recsvc.api.logs.WithoutRequests"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            "recsvc": {"level": level, **to_stderr},
            "gunicorn.error": {"level": level, "filters": ["without_requests"], **to_stderr},
        },
    }
