"""Query string and body of a request, as checked models. What is wrong is named; the value is not echoed."""

from __future__ import annotations

from functools import cache
from typing import TypeVar, cast

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge

from recsvc.api.refusals import FieldProblem, InvalidRequest, MalformedJson, NotJson

Model = TypeVar("Model", bound=BaseModel)
MAX_PROBLEMS = 20
MAX_LOCATION = 200


def read_query(model: type[Model]) -> Model:
    """Query parameters of the current request.

    Raises
    ------
    InvalidRequest
        If one is unknown, missing, out of range, or given twice where it may be given once.
    """
    try:
        if not request.query_string:
            return cast(Model, _without_parameters(model))
        repeatable = _repeatable(model)
        given = {
            name: values if name in repeatable or len(values) > 1 else values[0]
            for name, values in request.args.lists()
        }
        return model.model_validate(given)
    except ValidationError as error:
        raise _invalid(error, "query") from None


def read_body(model: type[Model]) -> Model:
    """JSON body of the current request, strictly typed: "10" is not a number.

    Raises
    ------
    NotJson, MalformedJson
        If it is not JSON.
    BadRequest, RequestEntityTooLarge
        If it breaks off, comes in chunks that are none, or is too large.
    InvalidRequest
        If a field is unknown, missing or out of range.
    """
    if request.mimetype != "application/json":
        raise NotJson
    try:
        return model.model_validate_json(_whole_body(), strict=True)
    except ValidationError as error:
        raise _invalid(error, "body") from None


def _whole_body() -> bytes:
    """Body of the current request; werkzeug cuts one that comes in chunks off at the limit instead of refusing it."""
    try:
        body = request.get_data(cache=False)
        if request.environ.get("wsgi.input_terminated") and request.environ["wsgi.input"].read(1):
            raise RequestEntityTooLarge
    except HTTPException:
        raise
    except Exception as error:  # whatever the server raises when a chunk is malformed
        raise BadRequest from error
    return body


@cache
def _without_parameters(model: type[BaseModel]) -> BaseModel:
    return model.model_validate({})


@cache
def _repeatable(model: type[BaseModel]) -> frozenset[str]:
    properties = model.model_json_schema()["properties"]
    return frozenset(name for name, schema in properties.items() if schema.get("type") == "array")


def _invalid(error: ValidationError, part: str) -> MalformedJson | InvalidRequest:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return MalformedJson()
    return InvalidRequest(tuple(FieldProblem(_location(part, one["loc"]), one["msg"]) for one in found[:MAX_PROBLEMS]))


def _location(part: str, path: tuple[int | str, ...]) -> str:
    return ".".join([part, *map(str, path)])[:MAX_LOCATION]
