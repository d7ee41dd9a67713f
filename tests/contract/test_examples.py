"""The examples in the description are real answers: asked again, the service answers in the same shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from recsvc.api.openapi import EXAMPLES, describe
from recsvc.api.routes import ROUTES
from tests.checks.write_examples import asked, service
from tests.trained import Trained

Json = Any  # JSON of any depth
STORED = orjson.loads(EXAMPLES.read_bytes())


@pytest.fixture(scope="module")
def again(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Json:
    folder: Path = tmp_path_factory.mktemp("examples") / "artifacts"
    with service(trained, folder) as (client, copy):
        return orjson.loads(orjson.dumps(asked(client, copy)))


def shape(value: Json) -> Json:
    """Names and kinds of values; a list by those of its first element, None like anything, the facts of reasons not."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items() if one is not None and name != "evidence"}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


@pytest.mark.parametrize("name", sorted(route.name for route in ROUTES if route.replies))
def test_an_example_is_what_is_answered(again: Json, name: str) -> None:
    assert shape(STORED[name]["reply"]) == shape(again[name]["reply"]), "run tests.checks.write_examples"
    (route,) = (one for one in ROUTES if one.name == name)
    for given in (STORED, again):
        assert any(_fits(model, given[name]["reply"]) for model in route.replies)
    if route.body is not None:
        route.body.model_validate_json(orjson.dumps(STORED[name]["request"]), strict=True)


def _fits(model: Any, reply: Json) -> bool:  # a pydantic model
    try:
        model.model_validate_json(orjson.dumps(reply), strict=True)
    except ValueError:
        return False
    return True


def test_every_route_that_answers_in_json_shows_an_example() -> None:
    paths = describe(ROUTES)["paths"]

    for route in ROUTES:
        if route.replies:
            operation = paths[route.template][route.method.lower()]
            assert operation["responses"]["200"]["content"]["application/json"]["example"]
            assert route.body is None or operation["requestBody"]["content"]["application/json"]["example"]
