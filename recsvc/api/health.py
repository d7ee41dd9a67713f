"""Whether the process lives, whether it can answer, and what it counted."""

from __future__ import annotations

from datetime import timedelta

from flask import Response

from recsvc.api.metrics import CONTENT_TYPE
from recsvc.api.outbound import LiveReply, ReadyReply
from recsvc.api.replies import Json
from recsvc.api.route import Route
from recsvc.api.security import authorise
from recsvc.api.services import Services
from recsvc.errors import NotReady
from recsvc.store.engine import StoreUnavailable


def health_live(services: Services) -> Json:
    """Answer, whatever state the bundle is in: a restart would not mend that."""
    return {"status": "alive"}


def health_ready(services: Services) -> Json:
    """Answer when requests can be served.

    Raises
    ------
    NotReady
        If no bundle is live, or it is too old.
    StoreUnavailable
        If the live store does not answer.
    """
    problem = services.live.status().problem
    recommender = services.recommender()
    limit = timedelta(days=services.settings.max_bundle_age_days)
    if services.clock() - recommender.created_at > limit:
        raise NotReady(f"the live bundle is older than {limit.days} days; train again, or raise the limit")
    if not services.reaches_store():
        raise StoreUnavailable("no answer")
    return {
        "status": "ready",
        "bundle_id": recommender.bundle_id,
        "as_of": recommender.as_of,
        "created_at": recommender.created_at,
        "problem": problem,
    }


def metrics(services: Services) -> Response:
    """Everything counted since the service started, and whether the live store answers now."""
    if not services.settings.metrics_public:
        authorise(services, "read")
    services.reaches_store()
    return Response(services.metrics.page(), content_type=CONTENT_TYPE)


METRICS_ERRORS = (401, 403, 429, 503)
ROUTES = (
    Route("GET", "/health/live", health_live, "The process answers", replies=(LiveReply,)),
    Route("GET", "/health/ready", health_ready, "The service can answer", replies=(ReadyReply,), statuses=(503,)),
    Route("GET", "/metrics", metrics, "Prometheus metrics; scope read unless made public", statuses=METRICS_ERRORS),
)
