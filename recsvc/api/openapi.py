"""The OpenAPI 3.1 description, made from the table of routes and the pydantic models.

pydantic writes JSON Schema 2020-12, which is what OpenAPI 3.1 wants, so there is little left to do here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from recsvc.api.outbound import Problem
from recsvc.api.problems import MEDIA_TYPE
from recsvc.api.route import Route

API_VERSION = "1"
EXAMPLES = files("recsvc.api") / "examples.json"  # real answers: see tests/checks/write_examples.py
JsonObject = dict[str, Any]  # an OpenAPI document is JSON of any depth
REF = "#/components/schemas/{model}"
SECURITY_SCHEMES: JsonObject = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
REQUEST_ID: JsonObject = {
    "name": "X-Request-ID",
    "in": "header",
    "description": "Echoed in the reply and written to the log; letters, digits and . _ -",
    "schema": {"type": "string", "maxLength": 128},
}


IF_NONE_MATCH: JsonObject = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The `ETag` of an earlier answer: 304, and nothing else, while it is still the answer",
    "schema": {"type": "string", "maxLength": 1024},
}


def describe(routes: Iterable[Route]) -> JsonObject:
    """OpenAPI document of the routes."""
    routes, examples = tuple(routes), orjson.loads(EXAMPLES.read_bytes())
    refs, schemas = _schemas(routes)
    paths: dict[str, JsonObject] = {}
    for route in routes:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(
            route, refs, examples.get(route.name, {})
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "recsvc", "version": API_VERSION, "description": "Win-back recommendations."},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": SECURITY_SCHEMES},
    }


Refs = Mapping[type[BaseModel], JsonObject]


def _schemas(routes: tuple[Route, ...]) -> tuple[Refs, JsonObject]:
    sent = {route.body for route in routes if route.body}
    replied = {Problem} | {model for route in routes for model in route.replies}
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    wanted += [(model, "validation") for model in sorted(sent, key=lambda model: model.__name__)]
    wanted += [(model, "serialization") for model in sorted(replied, key=lambda model: model.__name__)]
    by_model, together = models_json_schema(wanted, ref_template=REF)
    return {model: by_model[model, mode] for model, mode in wanted}, together["$defs"]


def _operation(route: Route, refs: Refs, example: JsonObject) -> JsonObject:
    operation: JsonObject = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [_tag(route)],
        "parameters": [*_parameters(route), REQUEST_ID, *([IF_NONE_MATCH] if route.tagged else [])],
        "responses": dict(_responses(route, refs, example)),
    }
    if route.body is not None:
        shown = {"example": example["request"]} if "request" in example else {}
        content = {"application/json": {"schema": refs[route.body], **shown}}
        operation["requestBody"] = {"required": True, "content": content}
    if route.scope is not None:
        operation["security"] = [{name: [route.scope]} for name in SECURITY_SCHEMES]
    return operation


def _tag(route: Route) -> str:
    """Resource a route belongs to: the docs page groups by it."""
    parts = route.template.split("/")
    return parts[2] if parts[1] == "v1" else "service"


def _parameters(route: Route) -> Iterator[JsonObject]:
    for name in route.path_names:
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    if route.query is None:
        return
    schema = route.query.model_json_schema()
    for name, field in schema["properties"].items():
        field = {key: value for key, value in field.items() if key != "title"}
        text = field.pop("description", "")
        required = name in schema.get("required", ())
        yield {"name": name, "in": "query", "required": required, "description": text, "schema": field}


def _responses(route: Route, refs: Refs, example: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    success: JsonObject = {"description": "Success"}
    if route.replies:
        choices = [refs[model] for model in route.replies]
        schema = choices[0] if len(choices) == 1 else {"anyOf": choices}
        shown = {"example": example["reply"]} if "reply" in example else {}
        success["content"] = {"application/json": {"schema": schema, **shown}}
    if route.tagged:
        success["headers"] = {"ETag": {"description": "Of the answer without its id", "schema": {"type": "string"}}}
        yield "304", {"description": "The caller holds this answer already"}
    yield "200", success
    for status in sorted({*route.statuses, *_usual_statuses(route)}):
        content = {MEDIA_TYPE: {"schema": refs[Problem]}}
        yield str(status), {"description": HTTPStatus(status).phrase, "content": content}


def _usual_statuses(route: Route) -> Iterator[int]:
    yield 500
    if route.scope is not None:
        yield from (401, 403, 429, 503)
    if route.query is not None:
        yield 422
    if route.body is not None:
        yield from (400, 413, 415, 422)
