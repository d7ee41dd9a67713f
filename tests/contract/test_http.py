"""What holds for every route, whatever it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from recsvc.api.outbound import Problem
from recsvc.api.problems import MEDIA_TYPE, STATUS, error_codes
from recsvc.api.route import Route
from recsvc.api.routes import ROUTES
from recsvc.api.schemas import ALL_STATES
from recsvc.bundle.store import BundleStore
from recsvc.domain.lapse import STATES
from recsvc.errors import RecsvcError
from recsvc.settings import PREFIX, Settings
from recsvc.store import key_ring
from recsvc.store.keys import SCOPES, Scope
from tests.fake_recommender import NOW
from tests.service import Service, serving
from tests.trained import Trained, with_another

PATH_VALUES = {"customer_id": "customer-1", "item_id": "item-001", "asset": "swagger-ui.css"}
QUERIES = {"recommendations": "customer_id=a", "customer_by_query": "customer_id=customer-1"}
QUERIES["similar_items_by_query"] = "item_id=item-001"
BODIES: dict[str, object] = {"post_recommendations": {"customer_id": "customer-1"}}
BODIES["post_events"] = {"events": [{"event_id": "e-1", "kind": "view", "customer_id": "a"}]}
BODIES["put_availability"] = {"items": [{"item_id": "item-001", "available": False}]}
WITHOUT_BUNDLE = (
    "post_events",
    "put_availability",
    "bundles",
    "bundle",
    "activate",
    "rollback",
)  # they answer before the first training, too
KEYED = [route for route in ROUTES if route.scope is not None]
(METRICS,) = (route for route in ROUTES if route.name == "metrics")  # keyed unless made public


def named(route: Route) -> str:
    return route.name


@pytest.fixture(scope="module")
def artifacts(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with two bundles, both of which were live."""
    store = with_another(trained, tmp_path_factory.mktemp("service") / "artifacts")
    store.activate(store.bundles()[-1].manifest.bundle_id)
    PATH_VALUES["bundle_id"] = trained.bundle_id
    return store.root


@pytest.fixture(scope="module")
def service(artifacts: Path) -> Iterator[Service]:
    with serving(artifacts) as made:
        yield made


@pytest.fixture(autouse=True)
def _the_later_bundle_is_live(artifacts: Path) -> None:
    store = BundleStore(artifacts)
    later = store.bundles()[-1].manifest.bundle_id
    store.activate(later)
    BODIES["rollback"] = {"leave": later}


@pytest.fixture(scope="module")
def revoked_key(service: Service) -> str:
    plaintext, key = service.keys.create("gone", SCOPES, created_at=NOW)
    service.keys.revoke(key.key_id, revoked_at=NOW)
    return plaintext


def _key_without(service: Service, scope: Scope) -> str:
    return service.keys.create("others", [other for other in SCOPES if other != scope], created_at=NOW)[0]


def _call(service: Service, route: Route, key: str | None, method: str | None = None) -> Any:  # a test response
    return service.client.open(
        route.template.format(**PATH_VALUES),
        method=method or route.method,
        query_string=QUERIES.get(route.name),
        json=BODIES.get(route.name),
        headers={"X-API-Key": key} if key else None,
        buffered=True,  # so that files are closed
    )


def _assert_problem(reply: Any, status: int) -> None:
    problem = Problem.model_validate_json(reply.data, strict=True)
    assert reply.status_code == problem.status == status
    assert reply.mimetype == MEDIA_TYPE
    assert (status, problem.code) in set(error_codes())
    assert problem.request_id == reply.headers["X-Request-ID"]


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_every_route_answers_in_the_shape_it_declares(service: Service, route: Route) -> None:
    reply = _call(service, route, service.key)

    assert reply.status_code == 200
    if route.replies:
        route.replies[0].model_validate_json(reply.data, strict=True)


@pytest.mark.parametrize("route", [*KEYED, METRICS], ids=named)
def test_every_route_with_a_scope_wants_a_working_key_that_has_it(
    service: Service, route: Route, revoked_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_ring, "MIN_AGE_SECONDS", 0.0)  # a key made just now works

    _assert_problem(_call(service, route, None), 401)
    _assert_problem(_call(service, route, "rsk_0_0"), 401)
    _assert_problem(_call(service, route, service.key[:-1]), 401)
    _assert_problem(_call(service, route, revoked_key), 401)
    _assert_problem(_call(service, route, _key_without(service, route.scope or "read")), 403)


def test_every_route_of_v1_has_a_scope() -> None:
    assert [route.rule for route in ROUTES if route.rule.startswith("/v1") and route.scope is None] == []


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_every_route_refuses_other_methods(service: Service, route: Route) -> None:
    for method in ("DELETE", "PATCH", "OPTIONS", "TRACE"):
        reply = _call(service, route, service.key, method)

        _assert_problem(reply, 405)
        assert route.method in reply.headers["Allow"]


@pytest.mark.parametrize("route", [route for route in ROUTES if route.query], ids=named)
def test_every_route_refuses_a_parameter_it_does_not_know(service: Service, route: Route) -> None:
    path = route.template.format(**PATH_VALUES)

    _assert_problem(service.get(f"{path}?no_such={'x' * 500}"), 422)


@pytest.mark.parametrize("route", [route for route in KEYED if route.name not in WITHOUT_BUNDLE], ids=named)
def test_every_route_that_needs_a_bundle_says_so_when_none_is_live(service: Service, route: Route) -> None:
    recommender, service.live.recommender = service.live.recommender, None

    reply = _call(service, route, service.key)
    service.live.recommender = recommender

    _assert_problem(reply, 503)
    assert int(reply.headers["Retry-After"]) > 0


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/nothing", "/docs/", "//", "/v2/customers/a", "/favicon.ico"])
def test_an_unknown_path_is_a_problem_too(service: Service, path: str) -> None:
    _assert_problem(service.client.get(path), 404)


def test_every_route_is_described(service: Service) -> None:
    described = service.client.get("/openapi.json").json

    rules = {(rule.rule, method) for rule in service.client.application.url_map.iter_rules() for method in rule.methods}
    operations = {(path, method.upper()) for path, item in described["paths"].items() for method in item}
    assert operations == {(_template(rule), method) for rule, method in rules if method != "HEAD"}
    assert described["openapi"].startswith("3.1.")


def _template(rule: str) -> str:
    return rule.replace("<id:", "{").replace("<", "{").replace(">", "}")


def test_the_description_refers_only_to_what_it_holds(service: Service) -> None:
    described = service.client.get("/openapi.json").json
    held = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}

    assert set(_references(described)) <= held


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else [])
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _references(child)


def test_every_model_says_what_it_is() -> None:
    models: set[type[BaseModel]] = {model for route in ROUTES for model in (route.query, route.body) if model}

    assert all(model.__doc__ for model in models)


def test_states_of_the_interface_are_those_of_the_clock() -> None:
    assert frozenset(STATES) == ALL_STATES


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [code for _, code in error_codes()]

    assert len(set(codes)) == len(codes)
    assert RecsvcError.code not in codes
    assert all(status.value >= 400 for status in STATUS.values())


ids = st.text(min_size=1, max_size=60).filter(lambda text: not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(customer_id=ids)
def test_any_id_is_answered_alike_in_query_and_body(service: Service, customer_id: str) -> None:
    by_query = service.get("/v1/recommendations", query_string={"customer_id": customer_id})
    by_body = service.post("/v1/recommendations", json={"customer_id": customer_id})

    assert by_query.status_code == by_body.status_code == 200
    assert by_query.json["customer_id"] == by_body.json["customer_id"] == customer_id


@settings(max_examples=150, deadline=None)
@given(path=st.text(max_size=40), query=st.text(max_size=40), body=st.binary(max_size=60))
def test_nothing_sent_is_answered_with_a_failure_of_ours(service: Service, path: str, query: str, body: bytes) -> None:
    encodable = (text.encode("utf-8", "replace").decode() for text in (path, query))
    path, query = encodable

    got = service.client.get(f"/v1/customers/{path.replace('?', '')}", query_string=query)
    posted = service.post("/v1/recommendations", data=body, content_type="application/json")

    assert got.status_code < 500
    assert 400 <= posted.status_code < 500
    _assert_problem(posted, posted.status_code)


def test_settings_and_error_codes_are_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    wanted = [f"`{PREFIX}{name.upper()}`" for name in Settings.model_fields]
    wanted += [f"`{code}`" for _, code in error_codes()]
    wanted += [f"`{route.template}`" for route in ROUTES]

    assert [word for word in wanted if word not in readme] == []
