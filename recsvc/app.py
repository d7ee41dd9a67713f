"""The application factory: the only place where the service is wired together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import orjson
from flask import Flask

from recsvc.api.compression import compress_large
from recsvc.api.envelope import in_envelope
from recsvc.api.gate import Gate
from recsvc.api.metrics import Metrics
from recsvc.api.observation import observe
from recsvc.api.openapi import describe
from recsvc.api.problems import handle_errors
from recsvc.api.rate_limit import RateLimit
from recsvc.api.route import AnyId, Route, mount
from recsvc.api.routes import ROUTES
from recsvc.api.services import Live, Services
from recsvc.settings import Settings
from recsvc.store.availability import AvailabilityStore
from recsvc.store.engine import is_reachable
from recsvc.store.events import EventStore
from recsvc.store.key_ring import KeyRing
from recsvc.store.keys import KeyStore


def utc_now() -> datetime:
    """Return the present moment; tests pass another clock to `create_app`."""
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    live: Live,
    keys: KeyStore,
    *,
    clock: Callable[[], datetime] = utc_now,
    routes: tuple[Route, ...] = ROUTES,
) -> Flask:
    """Build the service around a bundle that may be swapped while it runs.

    Parameters
    ----------
    settings
        What the operator chose.
    live
        Holder of the live bundle.
    keys
        The API keys, in the live store whose health is part of ours.
    clock
        Present moment, UTC; asked once a request.
    routes
        What it answers.
    """
    metrics = Metrics()
    services = Services(
        settings=settings,
        live=live,
        keys=KeyRing(keys),
        events=EventStore(keys.engine),
        availability=AvailabilityStore(keys.engine),
        gate=Gate(settings.threads, refused=metrics.shed),
        rate_limit=RateLimit(settings.requests_per_second),
        metrics=metrics,
        clock=clock,
        store_is_reachable=partial(is_reachable, keys.engine),
        openapi=orjson.dumps(describe(routes)),
    )
    live.tell(services.note_live)
    app = Flask("recsvc", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.url_map.merge_slashes = False  # an id may hold two slashes in a row
    app.url_map.converters["id"] = AnyId
    observe(app, routes, services.metrics)
    handle_errors(app)
    app.after_request(compress_large)
    app.wsgi_app = in_envelope(app.wsgi_app)  # type: ignore[assignment]  # as Flask documents it
    for route in routes:
        mount(app, route, services)
    return app
