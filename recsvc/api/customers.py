"""Customers: where one stands, and what is expected of them."""

from __future__ import annotations

from recsvc.api.outbound import CustomerReply
from recsvc.api.replies import Json, profile_json
from recsvc.api.route import Route
from recsvc.api.schemas import CustomerParams
from recsvc.api.services import Services


def customer(services: Services, customer_id: str) -> Json:
    """Profile of the customer in the path."""
    recommender = services.recommender()
    state = recommender.customer(customer_id, now=services.clock())
    return {"bundle_id": recommender.bundle_id, "customer_id": customer_id, "customer": profile_json(state)}


def customer_by_query(services: Services, query: CustomerParams) -> Json:
    """Profile of the customer in the query."""
    return customer(services, query.customer_id)


ROUTES = (
    Route(
        "GET",
        "/v1/customers/<id:customer_id>",
        customer,
        "State, value and expectation of a customer",
        scope="read",
        replies=(CustomerReply,),
        statuses=(404,),
    ),
    Route(
        "GET",
        "/v1/customers",
        customer_by_query,
        "The same, with the customer in the query: for ids that a path cannot carry",
        scope="read",
        query=CustomerParams,
        replies=(CustomerReply,),
        statuses=(404,),
    ),
)
