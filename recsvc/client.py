"""A client of the service on the standard library alone: one method a route, one connection, kept alive.

>>> shop = Client("http://127.0.0.1:8000", key="rsk_...")        # doctest: +SKIP
>>> [item["title"] for item in shop.recommendations("1111", k=5)["items"]]       # doctest: +SKIP

Replies are the JSON that `/docs` describes. Not for browsers: a key belongs on a server. One thread a client.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

Json = dict[str, Any]  # Any: JSON values
Params = Mapping[str, object]
BUSY: Final = (429, 503)
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 30.0


@dataclass
class ServiceError(Exception):
    """The service refused a request, or could not be reached.

    Attributes
    ----------
    request : method and path, without parameters: these may name people
    status : of the reply; None where there was none
    code : stable, as in the README's table of errors
    """

    request: str
    status: int | None
    code: str
    detail: str
    request_id: str | None = None

    def __str__(self) -> str:
        status = "" if self.status is None else f" {self.status}"
        named = f" (request {self.request_id})" if self.request_id else ""
        return f"{self.request}:{status} {self.code}: {self.detail}{named}"


class Client:
    """Talks to one service.

    Parameters
    ----------
    url
        Where it is, such as `https://recs.example:8000`.
    key
        An API key; None for a service that wants none.
    timeout_seconds
        How long one try may take.
    tries
        How often a request is sent at most: again after 429 and 503, and after a broken connection. Every request of
        this service may be sent twice: events count once by their id.

    Raises
    ------
    ServiceError
        By every method.
    """

    def __init__(self, url: str, key: str | None = None, *, timeout_seconds: float = 5.0, tries: int = 3) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no http or https address")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=timeout_seconds)
        self._prefix, self._tries = parts.path.rstrip("/"), max(tries, 1)
        self._retry_after: float | None = None
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})

    def recommendations(self, customer_id: str, **wishes: object) -> Json:
        """What a customer should see now; wishes are those of the body: `k`, `filters`, `rules`, ..."""
        return self._ask("POST", "/v1/recommendations", body={"customer_id": customer_id, **wishes})

    def recommendations_of_many(self, customer_ids: Sequence[str], **wishes: object) -> Json:
        """The same for up to 256 customers: `slates`, in their order."""
        return self._ask("POST", "/v1/recommendations", body={"customer_ids": list(customer_ids), **wishes})

    def customer(self, customer_id: str) -> Json:
        """State, value and expectation of a customer; `unknown_customer` where there is none."""
        return self._ask("GET", "/v1/customers", {"customer_id": customer_id})

    def similar_items(self, item_id: str, *, k: int = 10) -> Json:
        """Items that the same customers like."""
        return self._ask("GET", "/v1/items/similar", {"item_id": item_id, "k": k})

    def put_availability(self, items: Sequence[Mapping[str, object]]) -> Json:
        """Say what is on sale, and at which price: `item_id`, `available`, `price`."""
        return self._ask("PUT", "/v1/items/availability", body={"items": list(items)})

    def win_back(self, *, limit: int = 50, state: Sequence[str] = (), cursor: str | None = None) -> Json:
        """A page of the customers to win back, best first."""
        return self._ask("GET", "/v1/win-back", {"limit": limit, "state": state, "cursor": cursor})

    def early_warning(self, *, limit: int = 50, state: Sequence[str] = (), cursor: str | None = None) -> Json:
        """A page of the valuable customers who are slipping, most at stake first."""
        return self._ask("GET", "/v1/early-warning", {"limit": limit, "state": state, "cursor": cursor})

    def send_events(self, events: Sequence[Mapping[str, object]]) -> Json:
        """Keep what customers did, up to 1,000 events: `accepted`, `duplicate`, `rejected`."""
        return self._ask("POST", "/v1/events", body={"events": list(events)})

    def bundles(self) -> Json:
        """The bundles there are, the newest first."""
        return self._ask("GET", "/v1/bundles")

    def bundle(self, bundle_id: str) -> Json:
        """One bundle."""
        return self._ask("GET", f"/v1/bundles/{quote(bundle_id, safe='')}")

    def activate(self, bundle_id: str) -> Json:
        """Make a bundle live."""
        return self._ask("POST", f"/v1/bundles/{quote(bundle_id, safe='')}/activate")

    def rollback(self, leave: str) -> Json:
        """Go back to the bundle that was live before the one to leave."""
        return self._ask("POST", "/v1/bundles/rollback", body={"leave": leave})

    def is_ready(self) -> bool:
        """Whether the service can answer."""
        try:
            self._ask("GET", "/health/ready", tries=1)
        except ServiceError as error:
            if error.status is None:
                raise
            return False
        return True

    def everybody_to_win_back(self, *, state: Sequence[str] = ()) -> Iterator[Json]:
        """Every row of the list of customers to win back, page after page."""
        cursor = None
        while True:
            page = self.win_back(limit=500, state=state, cursor=cursor)
            yield from page["customers"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(
        self, method: str, path: str, query: Params | None = None, body: Params | None = None, tries: int | None = None
    ) -> Json:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        target = self._prefix + path + (f"?{urlencode(given, doseq=True)}" if given else "")
        left = tries or self._tries
        wait = FIRST_WAIT_SECONDS
        while True:
            left -= 1
            try:
                return self._once(method, target, body)
            except ServiceError as error:
                if not left or error.status not in (None, *BUSY):
                    raise
                wait = self._waited(wait)

    def _waited(self, seconds: float) -> float:
        """Wait as the service asked, or a little at random; how long to wait next."""
        asked = self._retry_after
        time.sleep(min(asked if asked is not None else random.uniform(seconds / 2, seconds), LONGEST_WAIT_SECONDS))  # noqa: S311
        return min(2 * seconds, LONGEST_WAIT_SECONDS)

    def _once(self, method: str, target: str, body: Params | None) -> Json:
        request = f"{method} {target.partition('?')[0]}"
        self._retry_after = None
        headers = self._headers | ({"Content-Type": "application/json"} if body is not None else {})
        content = None if body is None else json.dumps(body, default=_as_text).encode()
        try:
            self._connection.request(method, target, content, headers)
            reply = self._connection.getresponse()
            answer = reply.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise ServiceError(request, None, "unreachable", f"{type(error).__name__}: {error}") from error
        if reply.status >= 300:
            self._retry_after = _seconds(reply)
            raise _refusal(request, reply, answer)
        found: Json = json.loads(answer)
        return found


def _refusal(request: str, reply: HTTPResponse, answer: bytes) -> ServiceError:
    request_id = reply.headers.get("X-Request-ID")
    try:
        problem = json.loads(answer)
        return ServiceError(request, reply.status, problem["code"], problem["detail"], request_id)
    except (ValueError, KeyError, TypeError):
        return ServiceError(request, reply.status, "not_ours", reply.reason or "no reason given", request_id)


def _seconds(reply: HTTPResponse) -> float | None:
    asked = reply.headers.get("Retry-After", "")
    return float(asked) if asked.isdigit() else None


def _as_text(value: object) -> str:
    if isinstance(value, date):  # moments are dates, too
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")
