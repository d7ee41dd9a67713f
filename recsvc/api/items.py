"""Items: what lies near one in taste."""

from __future__ import annotations

from recsvc.api.outbound import SimilarReply
from recsvc.api.replies import Json, similar_json
from recsvc.api.route import Route
from recsvc.api.schemas import ItemSimilarParams, SimilarParams
from recsvc.api.services import Services


def similar_items(services: Services, item_id: str, query: SimilarParams) -> Json:
    """Neighbours of the item in the path."""
    recommender = services.recommender()
    neighbours = recommender.similar(item_id, query.k)
    return {
        "bundle_id": recommender.bundle_id,
        "item_id": item_id,
        "items": [similar_json(one, recommender) for one in neighbours],
    }


def similar_items_by_query(services: Services, query: ItemSimilarParams) -> Json:
    """Neighbours of the item in the query."""
    return similar_items(services, query.item_id, query)


ROUTES = (
    Route(
        "GET",
        "/v1/items/<id:item_id>/similar",
        similar_items,
        "Items that the same customers like",
        scope="read",
        query=SimilarParams,
        replies=(SimilarReply,),
        statuses=(404,),
    ),
    Route(
        "GET",
        "/v1/items/similar",
        similar_items_by_query,
        "The same, with the item in the query: for ids that a path cannot carry",
        scope="read",
        query=ItemSimilarParams,
        replies=(SimilarReply,),
        statuses=(404,),
    ),
)
