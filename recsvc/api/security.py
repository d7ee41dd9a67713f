"""Who may call what, and how often: the API key of a request, its scopes, its bucket, the address it came in by.

Scopes do not imply one another.
"""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import NotFound

from recsvc.api.refusals import KeyMissing, ScopeMissing
from recsvc.api.services import Services
from recsvc.store.keys import Scope

BEARER = "bearer "


def authorise(services: Services, scope: Scope) -> None:
    """Let the current request pass when its key has the scope.

    Raises
    ------
    NotFound
        If the scope is `admin`, and that has an address of its own, which this is not.
    KeyMissing
        If there is no key.
    KeyRefused
        If the key does not work.
    ScopeMissing
        If the key may not do this.
    TooManyRequests
        If the key has asked too often.
    StoreUnavailable
        If the keys cannot be read.
    """
    if scope == "admin" and not _came_in_by(services.settings.admin_bind):
        raise NotFound
    if not services.settings.keys_required:
        return
    key = services.keys.identify(_presented_key())
    services.rate_limit.take(key.key_id)
    if scope not in key.scopes:
        raise ScopeMissing(scope)


def _came_in_by(address: str | None) -> bool:
    """Whether the current request came in by the port of an address; any will do where none is set."""
    return address is None or str(request.environ["SERVER_PORT"]) == address.rpartition(":")[2]


def _presented_key() -> str:
    environ = request.environ  # much cheaper than request.headers
    authorization: str = environ.get("HTTP_AUTHORIZATION", "")
    if authorization[: len(BEARER)].lower() == BEARER:
        return authorization[len(BEARER) :].strip()
    key: str = environ.get("HTTP_X_API_KEY", "")
    if not key:
        raise KeyMissing
    return key
