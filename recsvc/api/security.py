"""Who may call what: the API key of a request, and its scopes. Scopes do not imply one another."""

from __future__ import annotations

from flask import request

from recsvc.api.refusals import KeyMissing, ScopeMissing
from recsvc.api.services import Services
from recsvc.store.keys import Scope

BEARER = "bearer "


def authorise(services: Services, scope: Scope) -> None:
    """Let the current request pass when its key has the scope.

    Raises
    ------
    KeyMissing
        If there is no key.
    KeyRefused
        If the key does not work.
    ScopeMissing
        If the key may not do this.
    StoreUnavailable
        If the keys cannot be read.
    """
    if not services.settings.keys_required:
        return
    if scope not in services.keys.identify(_presented_key()).scopes:
        raise ScopeMissing(scope)


def _presented_key() -> str:
    environ = request.environ  # much cheaper than request.headers
    authorization: str = environ.get("HTTP_AUTHORIZATION", "")
    if authorization[: len(BEARER)].lower() == BEARER:
        return authorization[len(BEARER) :].strip()
    key: str = environ.get("HTTP_X_API_KEY", "")
    if not key:
        raise KeyMissing
    return key
