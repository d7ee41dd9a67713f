"""Write recsvc/api/examples.json: what each route is asked, and what it really answers, in the shop of the tests.

    .venv/bin/python -m tests.checks.write_examples

Lists are cut to two elements, so that the description stays readable. A test asks again and compares the shape.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from flask.testing import FlaskClient

from recsvc.api.openapi import EXAMPLES
from recsvc.api.route import Route
from recsvc.api.routes import ROUTES
from recsvc.app import create_app
from recsvc.serving.live_source import LiveSource
from recsvc.serving.reload import LiveRecommender
from recsvc.settings import load_settings
from recsvc.store.engine import open_store
from recsvc.store.keys import KeyStore
from tests.trained import NOW, Trained, train, with_another, write_shop

Json = Any  # JSON of any depth
SHOWN = 2  # elements of a list
AT = "2026-01-05T10:00:00+00:00"


def bodies(trained: Trained) -> dict[str, Json]:
    """Body of each route that takes one."""
    customer_id, other = trained.recommender().bundle.customer_table["customer_id"].slice(0, 2).to_pylist()
    event = {"event_id": "order-4711-1", "kind": "purchase", "customer_id": customer_id, "item_id": "I0000003"}
    return {
        "post_recommendations": {"customer_ids": [customer_id, other], "k": 2, "filters": {"where": "price < 20"}},
        "post_events": {"events": [{**event, "price": 2.79, "quantity": 2.0, "order_id": "4711", "occurred_at": AT}]},
        "put_availability": {"items": [{"item_id": "I0000003", "available": True, "price": 1.99}]},
        "rollback": {"leave": ""},
    }


def asked(client: FlaskClient, trained: Trained) -> dict[str, dict[str, Json]]:
    """Request body, if any, and reply of every route that answers in JSON."""
    customer_id = trained.recommender().bundle.customer_table["customer_id"][0].as_py()
    item_id = trained.recommender().item("I0000003").item_id
    known, later = {"customer_id": customer_id, "item_id": item_id}, trained.store.bundles()[-1].manifest.bundle_id
    sent = bodies(trained) | {"rollback": {"leave": later}}
    found = {}
    for route in ROUTES:
        if route.replies:
            path = route.template.format(**known, bundle_id=later)
            reply = client.open(path, method=route.method, query_string=_query(route, known), json=sent.get(route.name))
            assert reply.status_code == 200, (route.name, reply.json)
            body = {"request": sent[route.name]} if route.name in sent else {}
            found[route.name] = {**body, "reply": cut(reply.json)}
    return found


def cut(reply: Json) -> Json:
    """The same with short lists."""
    if isinstance(reply, dict):
        return {name: cut(value) for name, value in reply.items()}
    return [cut(one) for one in reply[:SHOWN]] if isinstance(reply, list) else reply


@contextmanager
def service(trained: Trained, folder: Path) -> Iterator[tuple[FlaskClient, Trained]]:
    """An application over a copy of a trained bundle, with another one beside it, which is live."""
    store = with_another(trained, folder)
    store.activate(store.bundles()[-1].manifest.bundle_id)
    chosen = load_settings({}, artifacts=folder, keys_required=False, max_bundle_age_days=36_500)
    engine = open_store(chosen.live_store_url)
    source = LiveSource(engine)
    live = LiveRecommender(folder, source.of_bundle)
    copy = Trained(trained.config_file, trained.config, folder, trained.outcome)
    yield create_app(chosen, live, KeyStore(engine), clock=lambda: NOW).test_client(), copy
    source.close()
    engine.dispose()


def _query(route: Route, known: dict[str, str]) -> dict[str, str]:
    names = () if route.query is None else route.query.model_fields
    wanted = {name: value for name, value in known.items() if name in names}
    return wanted | ({"limit": str(SHOWN)} if "limit" in names else {}) | ({"k": str(SHOWN)} if "k" in names else {})


def main() -> None:
    """Train the small shop, ask every route, write the answers."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        trained = train(write_shop(folder), folder / "artifacts")
        with service(trained, folder / "served") as (client, copy):
            found = asked(client, copy)
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    Path(str(EXAMPLES)).write_bytes(orjson.dumps(found, option=options))


if __name__ == "__main__":
    main()
