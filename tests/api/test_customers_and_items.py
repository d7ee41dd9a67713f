from __future__ import annotations

from recsvc.api.outbound import CustomerReply, SimilarReply
from tests.fake_recommender import STRANGE_ID
from tests.service import Service


def test_a_profile_has_money_in_currency_units_and_days_as_dates(service: Service) -> None:
    reply = service.get("/v1/customers/customer-2")

    profile = CustomerReply.model_validate_json(reply.data).customer
    assert profile.spend == 1_234.56
    assert reply.json["customer"]["state_since"] == "2026-01-10"
    assert reply.json["customer"]["next_state_on"] == "2026-06-01"
    assert profile.win_back_rank == 2
    assert reply.json["customer"]["next_order_on"] == "2026-03-20"
    assert reply.json["customer"]["favourite_categories"] == ["food > fruit"]
    assert reply.json["customer"]["best_hour"] is None


def test_a_customer_without_a_next_state_or_order_has_null_there(service: Service) -> None:
    profile = service.get("/v1/customers/customer-1").json["customer"]

    assert (profile["next_state_on"], profile["next_order_on"]) == (None, None)


def test_a_profile_of_somebody_unknown_is_404_and_does_not_repeat_the_id(service: Service) -> None:
    reply = service.get("/v1/customers/person@example.org")

    assert (reply.status_code, reply.json["code"]) == (404, "unknown_customer")
    assert "person" not in reply.text


def test_a_strange_customer_id_passes_in_the_query(service: Service) -> None:
    reply = service.get("/v1/customers", query_string={"customer_id": STRANGE_ID})

    assert reply.json["customer_id"] == STRANGE_ID


def test_neighbours_of_an_item_come_nearest_first_with_titles(service: Service) -> None:
    reply = service.get("/v1/items/item-007/similar?k=3")

    neighbours = SimilarReply.model_validate_json(reply.data).items
    assert [one.rank for one in neighbours] == [1, 2, 3]
    assert neighbours[0].affinity == 0.9
    assert neighbours[0].title == "Title of item-000"


def test_a_strange_item_id_passes_in_the_query(service: Service) -> None:
    reply = service.get("/v1/items/similar", query_string={"item_id": STRANGE_ID})

    assert reply.json["item_id"] == STRANGE_ID


def test_an_unknown_item_is_404(service: Service) -> None:
    reply = service.get("/v1/items/nothing/similar")

    assert (reply.status_code, reply.json["code"]) == (404, "unknown_item")
