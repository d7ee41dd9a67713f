"""Reasons to refuse a request that only HTTP knows; everything else is in `recsvc.errors`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from recsvc.errors import RecsvcError


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one part of a request; `location` reads `query.k` or `body.customer_ids.3`."""

    location: str
    message: str


@dataclass
class InvalidRequest(RecsvcError):
    """The request is well formed but asks for something that cannot be."""

    problems: tuple[FieldProblem, ...]
    code = "invalid_request"

    def __str__(self) -> str:
        return "; ".join(f"{one.location}: {one.message}" for one in self.problems[:3])


class MalformedJson(RecsvcError):
    """The body is not JSON."""

    code = "malformed_json"

    def __str__(self) -> str:
        return "the body is not valid JSON in UTF-8"


class NotJson(RecsvcError):
    """The body is declared as something else than JSON."""

    code = "not_json"

    def __str__(self) -> str:
        return "send the body with Content-Type: application/json"


class KeyMissing(RecsvcError):
    """No API key was sent."""

    code = "key_missing"

    def __str__(self) -> str:
        return "send an API key as `Authorization: Bearer KEY` or `X-API-Key: KEY`"


@dataclass
class ScopeMissing(RecsvcError):
    """The key is right, but may not do this."""

    scope: str
    code = "scope_missing"

    def __str__(self) -> str:
        return f"this needs a key with the scope {self.scope!r}"


@dataclass
class TooManyRequests(RecsvcError):
    """The key has asked too often just now."""

    wait_seconds: float
    code = "too_many_requests"

    @property
    def retry_after_seconds(self) -> int:
        """Whole seconds after which there is room again, at least 1."""
        return max(1, math.ceil(self.wait_seconds))

    def __str__(self) -> str:
        return "this key asks more often than RECSVC_REQUESTS_PER_SECOND allows; slow down, or ask for many in one body"


class Overloaded(RecsvcError):
    """More requests wait than can be answered in time."""

    code = "overloaded"

    def __str__(self) -> str:
        return "more requests wait than this worker can answer in time; try again shortly, or run more workers"


class CursorOutdated(RecsvcError):
    """The list the cursor points into is no longer live."""

    code = "cursor_outdated"

    def __str__(self) -> str:
        return "a new bundle went live since this cursor was made; begin again without a cursor"


@dataclass
class UnknownBundle(RecsvcError):
    """There is no such bundle."""

    problem: str
    code = "unknown_bundle"

    def __str__(self) -> str:
        return self.problem
