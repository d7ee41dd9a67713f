"""What surrounds every request: its id, its time, one log line, one metric, the security headers.

The log has the route template, never the path, the query or a header: no customer ids, no keys.
"""

from __future__ import annotations

import logging
import os
import re
import time

from flask import Flask, Response, g, request

from recsvc.api.metrics import Metrics
from recsvc.api.route import Route

log = logging.getLogger("recsvc.requests")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
POLICY = "default-src 'none'; frame-ancestors 'none'"


def observe(app: Flask, routes: tuple[Route, ...], metrics: Metrics) -> None:
    """Number, time, count and log every request of `app`."""
    templates = {route.name: route.template for route in routes}

    def begin() -> None:
        g.began = time.perf_counter()
        g.request_id = _request_id(request.environ.get("HTTP_X_REQUEST_ID", ""))

    def finish(response: Response) -> Response:
        seconds = time.perf_counter() - g.began
        method = request.method if request.method in METHODS else "other"
        route = templates.get(request.endpoint or "", UNMATCHED)
        metrics.answered(method, route, response.status_code, seconds)
        if log.isEnabledFor(logging.INFO):
            _write_line(method, route, response.status_code, seconds)
        _add_headers(response)
        return response

    app.before_request(begin)
    app.after_request(finish)


def _request_id(given: str) -> str:
    return given if REQUEST_ID.fullmatch(given) else os.urandom(16).hex()


def _write_line(method: str, route: str, status: int, seconds: float) -> None:
    fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 3)}
    log.info("request", extra={"fields": fields | {"request_id": g.request_id}})


def _add_headers(response: Response) -> None:
    headers = response.headers
    headers.extend(HEADERS)
    headers.add("X-Request-ID", g.request_id)
    if "Content-Security-Policy" not in headers:
        headers.add("Content-Security-Policy", POLICY)
    if "Cache-Control" not in headers:
        headers.add("Cache-Control", "no-store")
