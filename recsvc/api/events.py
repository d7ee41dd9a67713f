"""Live events: kept before they are acknowledged, and part of the customer's next answer from any worker."""

from __future__ import annotations

from recsvc.api.event_schemas import EventsReply, EventsRequest
from recsvc.api.replies import Json
from recsvc.api.route import Route
from recsvc.api.services import Services


def post_events(services: Services, body: EventsRequest) -> Json:
    """Keep a batch of events; those that are wrong are named and left out."""
    now = services.clock()
    kept, rejected = body.sorted_out(now)
    added = services.events.add(kept, received_at=now)
    services.metrics.accepted((now - event.occurred_at).total_seconds() for event in added.new)
    return {
        "accepted": added.accepted,
        "duplicate": added.duplicate,
        "rejected": [one.model_dump() for one in body.all_rejected(rejected, added.erased)],
    }


ROUTES = (
    Route(
        "POST",
        "/v1/events",
        post_events,
        "Keep what customers did, at most 1,000 events at once; whatever is sent again counts once",
        scope="ingest",
        body=EventsRequest,
        replies=(EventsReply,),
    ),
)
