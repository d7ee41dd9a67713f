"""Recommendations: for one customer by path or query, for one or many in a body. None has a side effect."""

from __future__ import annotations

from flask import Response

from recsvc.api.outbound import RecommendationReply, RecommendationsReply
from recsvc.api.replies import Json, new_id, slate_json, unnamed_json
from recsvc.api.route import Route
from recsvc.api.schemas import CustomerRecommendationParams, RecommendationParams, RecommendationRequest
from recsvc.api.services import Answers, Services
from recsvc.api.tags import tagged
from recsvc.serving.slate import Query, Slate


def customer_recommendations(services: Services, customer_id: str, query: RecommendationParams) -> Response:
    """Recommend to the customer in the path."""
    return _tagged(services, query.query_for(customer_id))


def recommendations(services: Services, query: CustomerRecommendationParams) -> Response:
    """Recommend to the customer in the query: for ids that a path cannot carry."""
    return _tagged(services, query.query_for(query.customer_id))


def post_recommendations(services: Services, body: RecommendationRequest) -> Json:
    """Recommend to the customers in the body: for long ids, many exclusions, many customers."""
    if body.customer_ids is None:
        return slate_json(*_one(services, body.query_for(body.customer_id or "")))
    recommender = services.recommender()
    queries = [body.query_for(customer_id) for customer_id in body.customer_ids]
    slates = recommender.recommend_many(queries, now=services.clock())
    services.metrics.made(slates)
    return {"slates": [slate_json(slate, recommender) for slate in slates]}


def _tagged(services: Services, query: Query) -> Response:
    return tagged(new_id(), unnamed_json(*_one(services, query)))


def _one(services: Services, query: Query) -> tuple[Slate, Answers]:
    recommender = services.recommender()
    slate = recommender.recommend(query, now=services.clock())
    services.metrics.made((slate,))
    return slate, recommender


ROUTES = (
    Route(
        "GET",
        "/v1/customers/<id:customer_id>/recommendations",
        customer_recommendations,
        "What this customer should see now; an unknown customer gets what is popular",
        scope="read",
        query=RecommendationParams,
        replies=(RecommendationReply,),
        tagged=True,
    ),
    Route(
        "GET",
        "/v1/recommendations",
        recommendations,
        "The same, with the customer in the query: for ids that a path cannot carry",
        scope="read",
        query=CustomerRecommendationParams,
        replies=(RecommendationReply,),
        tagged=True,
    ),
    Route(
        "POST",
        "/v1/recommendations",
        post_recommendations,
        "The same with everything in the body; `customer_ids` asks for up to 256 customers and gets `slates`",
        scope="read",
        body=RecommendationRequest,
        replies=(RecommendationReply, RecommendationsReply),
    ),
)
