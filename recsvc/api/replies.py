"""Answers of the recommender as JSON-ready dicts: the shapes of `outbound.py`, made as cheaply as possible."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date, datetime

from recsvc.api.services import Answers
from recsvc.serving.slate import CustomerState, CustomerSummary, Promise, Recommendation, SimilarItem, Slate, WinBackRow

Json = Mapping[str, object]
MINOR_UNITS = 100


def slate_json(slate: Slate, recommender: Answers) -> Json:
    """`RecommendationReply`."""
    return {"recommendation_id": new_id(), **unnamed_json(slate, recommender)}


def new_id() -> str:
    """Id of a recommendation: new each time, so that an event can name the slate it came from."""
    return str(uuid.uuid4())


def unnamed_json(slate: Slate, recommender: Answers) -> dict[str, object]:
    """`RecommendationReply` without its id: what is the same each time."""
    state = slate.customer
    return {
        "bundle_id": slate.bundle_id,
        "customer_id": slate.query.customer_id,
        "strategy": slate.strategy,
        "customer": None if state is None else summary_json(state),
        "experiment": None if slate.promise is None else _experiment_json(slate.promise),
        "offer": None if slate.promise is None else slate.promise.offer,
        "items": [_recommended_json(one, recommender) for one in slate.items],
        "filters_applied": slate.filters_applied,
    }


def _experiment_json(promise: Promise) -> Json:
    return {"name": promise.campaign_id, "arm": promise.arm, "slate_id": promise.slate_id}


def summary_json(state: CustomerSummary | CustomerState) -> dict[str, object]:
    """`CustomerSummary`."""
    return {
        "state": state.state,
        "state_since": state.state_since.date(),
        "high_value": state.high_value,
        "segment": state.segment,
        "orders": state.orders,
        "days_since_last_purchase": state.days_since_last_purchase,
    }


def profile_json(state: CustomerState) -> Json:
    """`CustomerProfile`."""
    return summary_json(state) | {
        "next_state_on": _day(state.next_state_on),
        "layer": state.layer,
        "layer_label": state.layer_label,
        "what_to_do": state.what_to_do,
        "spend": state.spend / MINOR_UNITS,
        "spend_per_year": state.spend_per_year,
        "probability_alive": state.probability_alive,
        "probability_of_return": state.probability_of_return,
        "churn_probability": state.churn_probability,
        "expected_purchases": state.expected_purchases,
        "expected_average_value": state.expected_average_value,
        "clv": state.clv,
        "expected_value_of_contact": state.expected_value_of_contact,
        "value_at_stake": state.value_at_stake,
        "win_back_rank": state.win_back_rank,
        "early_warning_rank": state.early_warning_rank,
        **_taste_json(state),
        "why": state.why,
    }


def _taste_json(state: CustomerState) -> dict[str, object]:
    """When the customer is expected, and what they like."""
    return {
        "next_order_on": _day(state.next_order_on),
        "next_order_earliest": _day(state.next_order_earliest),
        "next_order_latest": _day(state.next_order_latest),
        "favourite_categories": state.favourite_categories,
        "faded_categories": state.faded_categories,
        "price_level": state.price_level,
        "price_position": state.price_position,
        "best_hour": state.best_hour,
        "best_channel": state.best_channel,
    }


def similar_json(neighbour: SimilarItem, recommender: Answers) -> Json:
    """`SimilarItemReply`."""
    return _item_json(neighbour.item_id, neighbour.rank, recommender) | {"affinity": neighbour.affinity}


def listed_json(row: WinBackRow) -> Json:
    """`ListedCustomer`."""
    return {"customer_id": row.customer_id, "customer": profile_json(row.customer)}


def _recommended_json(one: Recommendation, recommender: Answers) -> Json:
    shown = _item_json(one.item_id, one.rank, recommender)
    shown["score"] = one.score
    shown["reasons"] = one.reasons  # orjson writes dataclasses field by field
    if one.explanation is not None:
        shown["explanation"] = one.explanation
    return shown


def _day(moment: datetime | None) -> date | None:
    return moment and moment.date()


def _item_json(item_id: str, rank: int, recommender: Answers) -> dict[str, object]:
    item = recommender.item(item_id)
    return {
        "item_id": item_id,
        "rank": rank,
        "title": item.title,
        "category": item.category,
        "brand": item.brand,
        "price": item.price,
        "url": item.url,
        "image_url": item.image_url,
    }
