"""What is on sale and at which price: counts from the next request on, in every worker."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from recsvc.api.event_schemas import MAX_AMOUNT, StorableId
from recsvc.api.outbound import Reply
from recsvc.api.replies import MINOR_UNITS, Json
from recsvc.api.route import Route
from recsvc.api.schemas import Request
from recsvc.api.services import Services
from recsvc.store.availability import Offer

MAX_OFFERS = 5_000


class OfferRequest(Request):
    """One item: whether it may be shown, and its price."""

    item_id: StorableId
    available: bool
    price: Annotated[
        float | None, Field(ge=0, le=MAX_AMOUNT, description="Shown instead of the catalogue's; null: that one.")
    ] = None

    def offer(self) -> Offer:
        """As the store keeps it."""
        return Offer(self.item_id, self.available, None if self.price is None else round(self.price * MINOR_UNITS))


class AvailabilityRequest(Request):
    """Items, at most 5,000; of those that are not named nothing changes. Sending it again changes nothing more."""

    items: Annotated[tuple[OfferRequest, ...], Field(min_length=1, max_length=MAX_OFFERS)]


class AvailabilityReply(Reply):
    """For how many items something is different now, and for how many it was so already."""

    changed: int
    unchanged: int


def put_availability(services: Services, body: AvailabilityRequest) -> Json:
    """Replace what is known of the items named."""
    offers = [one.offer() for one in body.items]
    changed = services.availability.put(offers, changed_at=services.clock())
    return {"changed": changed, "unchanged": len({one.item_id for one in offers}) - changed}


ROUTES = (
    Route(
        "PUT",
        "/v1/items/availability",
        put_availability,
        "What is on sale and at which price, from the next request on; at most 5,000 items at once",
        scope="ingest",
        body=AvailabilityRequest,
        replies=(AvailabilityReply,),
    ),
)
