"""What every request gets: one metric and one log line.

The log has the route template, never the path, the query or a header: no customer ids, no keys.
"""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from recsvc.api.envelope import request_id, trace_id
from recsvc.api.metrics import Metrics
from recsvc.api.route import Route

log = logging.getLogger("recsvc.requests")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"


def observe(app: Flask, routes: tuple[Route, ...], metrics: Metrics) -> None:
    """Time, count and log every request of `app`."""
    templates = {route.name: route.template for route in routes}

    def begin() -> None:
        g.began = time.perf_counter()

    def finish(response: Response) -> Response:
        seconds = time.perf_counter() - g.began
        method = request.method if request.method in METHODS else "other"
        route = templates.get(request.endpoint or "", UNMATCHED)
        metrics.answered(method, route, response.status_code, seconds)
        if log.isEnabledFor(logging.INFO):
            _write_line(method, route, response.status_code, seconds)
        return response

    app.before_request(begin)
    app.after_request(finish)


def _write_line(method: str, route: str, status: int, seconds: float) -> None:
    fields: dict[str, object] = {
        "method": method,
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 3),
        "request_id": request_id(),
    }
    if (trace := trace_id()) is not None:
        fields["trace_id"] = trace
    log.info("request", extra=fields)
