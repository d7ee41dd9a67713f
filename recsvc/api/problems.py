"""Every error as `application/problem+json` (RFC 9457): the one table of class, status and code.

Nothing of an unforeseen error reaches the caller but the request id to find it in the log, and the log gets
its type and where it was raised, not its message, which may quote an id.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping
from http import HTTPStatus

import orjson
from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from recsvc import errors
from recsvc.api import refusals
from recsvc.api.envelope import request_id
from recsvc.store.engine import StoreUnavailable
from recsvc.store.key_ring import KeyRefused

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = "5"

STATUS: Mapping[type[errors.RecsvcError], HTTPStatus] = {
    refusals.MalformedJson: HTTPStatus.BAD_REQUEST,
    refusals.KeyMissing: HTTPStatus.UNAUTHORIZED,
    KeyRefused: HTTPStatus.UNAUTHORIZED,
    refusals.ScopeMissing: HTTPStatus.FORBIDDEN,
    errors.UnknownCustomer: HTTPStatus.NOT_FOUND,
    errors.UnknownItem: HTTPStatus.NOT_FOUND,
    refusals.UnknownBundle: HTTPStatus.NOT_FOUND,
    refusals.CursorOutdated: HTTPStatus.CONFLICT,
    errors.BundleNotLive: HTTPStatus.CONFLICT,
    refusals.NotJson: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    refusals.InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.FilterError: HTTPStatus.UNPROCESSABLE_ENTITY,
    refusals.TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    refusals.Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.BundleNotFound: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.BundleVersionUnsupported: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.BundleCorrupt: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
HTTP_CODES: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "the request cannot be understood"),
    404: ("not_found", "there is nothing at this path; /docs lists what there is"),
    405: ("method_not_allowed", "this path does not take this method"),
    413: ("body_too_large", "the body is larger than RECSVC_MAX_BODY_BYTES"),
    500: ("internal_error", "something went wrong on our side; quote the request id when you report it"),
}


def error_codes() -> Iterator[tuple[int, str]]:
    """Every status and code a caller may meet."""
    yield from ((status.value, error.code) for error, status in STATUS.items())
    yield from ((status, code) for status, (code, _) in HTTP_CODES.items())


def handle_errors(app: Flask) -> None:
    """Answer every exception of `app` with problem+json."""
    app.register_error_handler(errors.RecsvcError, _ours)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unforeseen)


def _ours(error: errors.RecsvcError) -> Response:
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
    if status is None:
        return _unforeseen(error)
    problems = error.problems if isinstance(error, refusals.InvalidRequest) else ()
    response = _problem(status, error.code, str(error), problems)
    if isinstance(error, refusals.TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    code, detail = HTTP_CODES.get(status) or HTTP_CODES[400 if status < 500 else 500]
    response = _problem(HTTPStatus(status), code, detail)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return response


def _unforeseen(error: Exception) -> Response:
    frames = traceback.extract_tb(error.__traceback__)
    stack = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    fields = {"request_id": request_id(), "error": type(error).__name__, "stack": stack}
    log.error("unforeseen error", extra=fields)
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, *HTTP_CODES[500])


def _problem(status: HTTPStatus, code: str, detail: str, problems: tuple[refusals.FieldProblem, ...] = ()) -> Response:
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "code": code,
        "detail": detail,
        "errors": problems,
        "request_id": request_id(),
    }
    response = Response(orjson.dumps(body), status.value, mimetype=MEDIA_TYPE)
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="recsvc"'
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response
