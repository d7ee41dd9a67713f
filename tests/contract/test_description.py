"""The service keeps to its description: whatever that allows to be sent, only what it documents comes back.

Over a real bundle. In `make test` a few examples an operation; `make soak` asks 500 of each.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from recsvc.api.route import Route
from recsvc.api.routes import ROUTES
from recsvc.app import create_app
from recsvc.serving.live_source import LiveSource
from recsvc.serving.reload import LiveRecommender
from recsvc.settings import Settings
from recsvc.store.engine import open_store
from recsvc.store.keys import SCOPES, KeyStore
from tests.trained import NOW, Trained

FEW, MANY = 10, 500
# Filters, rules and cursors are text in a grammar that a schema cannot express: what is no sentence of it gets 422.
WITH_GRAMMAR = ("customer_recommendations", "recommendations", "post_recommendations", "win_back", "early_warning")


@dataclass(frozen=True)
class Described:
    """The description of a running service, and a key of every scope."""

    schema: schemathesis.BaseSchema
    key: str


@pytest.fixture(scope="module")
def description(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    """The description of a service over a copy of the small bundle, with a key of every scope."""
    artifacts = tmp_path_factory.mktemp("described") / "artifacts"
    shutil.copytree(trained.artifacts, artifacts)
    chosen = Settings(artifacts=artifacts, requests_per_second=0, max_bundle_age_days=36_500)
    engine = open_store(chosen.live_store_url)
    keys, source = KeyStore(engine), LiveSource(engine)
    plaintext, _ = keys.create("tests", SCOPES, created_at=NOW)
    app = create_app(chosen, LiveRecommender(artifacts, source.of_bundle), keys, clock=lambda: NOW)
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    yield Described(schema, plaintext)
    source.close()
    engine.dispose()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_only_what_is_documented_comes_back(description: Described, route: Route) -> None:
    ask(description, route, FEW)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_however_often_one_asks(description: Described, route: Route) -> None:
    ask(description, route, MANY)


def ask(description: Described, route: Route, examples: int) -> None:
    """Send so many requests that the description of a route allows, and check each reply by all that it says."""

    without = [positive_data_acceptance] if route.name in WITH_GRAMMAR else []
    # Without a WSGI server in between nobody unpacks replies.
    headers = {"Authorization": f"Bearer {description.key}", "Accept-Encoding": "identity"}

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=description.schema[route.template][route.method].as_strategy())
    def probe(case: schemathesis.Case) -> None:
        case.call_and_validate(headers=headers, excluded_checks=without)

    probe()
