"""One route: its rule, its handler, what it takes and gives. Flask and OpenAPI are both fed from it.

So a route cannot exist without being described, nor answer without its scope being asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import orjson
from flask import Flask, Response
from pydantic import BaseModel
from werkzeug.routing import BaseConverter

from recsvc.api.inbound import read_body, read_query
from recsvc.api.security import authorise
from recsvc.api.services import Services
from recsvc.store.keys import Scope

Handler = Callable[..., object]  # (services, **path, query=..., body=...) -> Response, or what orjson can write


class AnyId(BaseConverter):
    """An id in a path: whatever was sent, slashes and line ends included."""

    regex = "(?s:.+?)"
    part_isolating = False


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a rule, and everything known about them.

    Attributes
    ----------
    rule
        As Flask writes it; `<id:name>` takes any characters.
    scope
        Scope a key must have; None when no key is needed.
    query, body
        Models of what is taken.
    replies
        Models of what may be given; empty when it is not JSON.
    statuses
        Codes of errors that this route can give beside those every route can.
    tagged
        Whether replies carry an `ETag`, and `If-None-Match` is heeded.
    """

    method: Literal["GET", "POST", "PUT"]
    rule: str
    handler: Handler
    summary: str
    scope: Scope | None = None
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    replies: tuple[type[BaseModel], ...] = ()
    statuses: tuple[int, ...] = ()
    tagged: bool = False

    @property
    def name(self) -> str:
        """Name of the handler, unique among routes."""
        return self.handler.__name__

    @property
    def template(self) -> str:
        """The rule as OpenAPI writes it, for metrics and logs too.

        Examples
        --------
        >>> Route("GET", "/v1/items/<id:item_id>/similar", print, "Neighbours").template
        '/v1/items/{item_id}/similar'
        """
        return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", self.rule)

    @property
    def path_names(self) -> tuple[str, ...]:
        """Names of the parameters in the path."""
        return tuple(re.findall(r"<(?:\w+:)?(\w+)>", self.rule))


def mount(app: Flask, route: Route, services: Services) -> None:
    """Make the application answer the route."""

    def view(**arguments: object) -> Response:
        if route.scope is None:
            return answer(arguments)
        with services.gate.turn():
            authorise(services, route.scope)
            return answer(arguments)

    def answer(arguments: dict[str, object]) -> Response:
        if route.query is not None:
            arguments["query"] = read_query(route.query)
        if route.body is not None:
            arguments["body"] = read_body(route.body)
        answered = route.handler(services, **arguments)
        return answered if isinstance(answered, Response) else json_response(answered)

    app.add_url_rule(
        route.rule, route.name, view, methods=[route.method], strict_slashes=True, provide_automatic_options=False
    )


def json_response(answer: object) -> Response:
    """Reply with an answer."""
    return Response(to_json(answer), mimetype="application/json")


def to_json(answer: object) -> bytes:
    """Write an answer as JSON; mappings that are not dicts are written as such."""
    return orjson.dumps(answer, default=dict, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z)
