from __future__ import annotations

import io
import json
from datetime import date

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from recsvc.api.outbound import RecommendationReply, RecommendationsReply
from recsvc.serving.slate import Query
from tests.fake_recommender import STRANGE_ID
from tests.service import Service

PATH = "/v1/customers/customer-1/recommendations"


def test_a_known_customer_gets_a_personal_slate_of_ten_with_reasons(service: Service) -> None:
    reply = service.get(PATH)

    slate = RecommendationReply.model_validate_json(reply.data)
    assert reply.status_code == 200
    assert slate.strategy == "personal"
    assert slate.bundle_id == "b-first"
    assert [item.rank for item in slate.items] == list(range(1, 11))
    assert slate.items[0].title == "Title of item-000"
    assert slate.items[0].reasons[0].evidence == {"times": 6, "every_days": 24.0}
    assert slate.customer is not None
    assert slate.customer.state == "late"


def test_an_unknown_customer_gets_what_is_popular_and_is_told_so(service: Service) -> None:
    slate = service.get("/v1/customers/nobody/recommendations").json

    assert slate["strategy"] == "popular"
    assert slate["customer"] is None
    assert len(slate["items"]) == 10


def test_every_parameter_reaches_the_recommender(service: Service) -> None:
    parameters = "k=3&exclude=item-000&exclude=b&exclude_purchased=true&category=food&category=drink&explore_slots=1"
    parameters += "&explain=true"

    slate = service.get(f"{PATH}?{parameters}").json

    expected = Query("customer-1", 3, frozenset({"item-000", "b"}), True, ("food", "drink"), 1, explain=True)
    assert service.recommender.asked == [expected]
    assert [item["item_id"] for item in slate["items"]] == ["item-001", "item-002", "item-003"]


def test_every_rule_reaches_the_recommender_by_query_and_by_body(service: Service) -> None:
    query = "where=price<5&rule=pin 1 where a&rule=block where b&category_cap=2&shown=c&shown=c&shown_since=2026-01-31"
    body = {
        "customer_id": "customer-1",
        "filters": {"where": "price<5"},
        "rules": ["pin 1 where a", "block where b"],
        "category_cap": 2,
        "shown": ["c", "c"],
        "shown_since": "2026-01-31",
    }

    service.get(f"{PATH}?{query}")
    service.post("/v1/recommendations", json=body)

    expected = Query(
        "customer-1",
        where="price<5",
        rules=("pin 1 where a", "block where b"),
        category_cap=2,
        shown=("c", "c"),
        shown_since=date(2026, 1, 31),
    )
    assert service.recommender.asked == [expected, expected]


def test_the_body_says_the_same_as_the_query(service: Service) -> None:
    body = {
        "customer_id": "customer-1",
        "k": 3,
        "exclude": ["b"],
        "filters": {"categories": ["food"]},
        "exclude_purchased": True,
        "explore_slots": 0,
        "explain": True,
    }

    service.post("/v1/recommendations", json=body)
    service.get(f"{PATH}?k=3&exclude=b&category=food&exclude_purchased=1&explore_slots=0&explain=1")

    by_body, by_query = service.recommender.asked
    assert by_body == by_query


def test_explanations_are_for_one_customer_at_a_time(service: Service) -> None:
    reply = service.post("/v1/recommendations", json={"customer_ids": ["a", "b"], "explain": True})

    assert reply.status_code == 422
    assert reply.json["errors"] == [{"location": "body", "message": "explain works for one customer_id at a time"}]
    assert service.recommender.asked == []


def test_many_customers_get_slates_in_their_order(service: Service) -> None:
    wanted = ["customer-2", "nobody", "customer-1"]

    reply = service.post("/v1/recommendations", json={"customer_ids": wanted, "k": 1})

    slates = RecommendationsReply.model_validate_json(reply.data).slates
    assert [slate.customer_id for slate in slates] == wanted
    assert [slate.strategy for slate in slates] == ["personal", "popular", "personal"]


def test_every_slate_has_an_id_of_its_own(service: Service) -> None:
    first, second = service.get(PATH).json, service.get(PATH).json

    assert first["recommendation_id"] != second["recommendation_id"]
    assert first["items"] == second["items"]


def test_an_empty_slate_is_an_answer(service: Service) -> None:
    slate = service.get(f"{PATH}?category=toys").json

    assert slate["items"] == []


def test_strange_ids_pass_in_path_query_and_body(service: Service) -> None:
    in_path = service.get("/v1/customers/a%2Fb//c%20d%0A%252F%3F&%23%C3%A9%F0%9F%9B%92/recommendations/recommendations")
    in_query = service.get("/v1/recommendations", query_string={"customer_id": STRANGE_ID})
    in_body = service.post("/v1/recommendations", json={"customer_id": STRANGE_ID})

    assert [reply.json["strategy"] for reply in (in_path, in_query, in_body)] == ["personal"] * 3
    assert {query.customer_id for query in service.recommender.asked} == {STRANGE_ID}


def test_ids_of_five_thousand_characters_pass_in_the_body(service: Service) -> None:
    reply = service.post("/v1/recommendations", json={"customer_id": "🛒" * 5_000})

    assert reply.status_code == 200


@pytest.mark.parametrize(
    ("query", "location"),
    [
        ("k=0", "query.k"),
        ("k=101", "query.k"),
        ("k=ten", "query.k"),
        ("k=1&k=2", "query.k"),
        ("kk=3", "query.kk"),
        ("exclude_purchased=perhaps", "query.exclude_purchased"),
        ("exclude=", "query.exclude.0"),
        ("explore_slots=-1", "query.explore_slots"),
        ("k=3&explore_slots=4", "query"),
        ("where=", "query.where"),
        ("where=a&where=b", "query.where"),
        ("category_cap=0", "query.category_cap"),
        ("shown_since=yesterday", "query.shown_since"),
        ("&".join(["rule=block where a"] * 21), "query.rule"),
    ],
)
def test_a_wrong_parameter_is_named(service: Service, query: str, location: str) -> None:
    reply = service.get(f"{PATH}?{query}")

    assert reply.status_code == 422
    assert [error["location"] for error in reply.json["errors"]] == [location]


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({}, "body"),
        ({"customer_id": "a", "customer_ids": ["b"]}, "body"),
        ({"customer_id": 7}, "body.customer_id"),
        ({"customer_id": ""}, "body.customer_id"),
        ({"customer_id": "a" * 8_193}, "body.customer_id"),
        ({"customer_ids": []}, "body.customer_ids"),
        ({"customer_ids": ["a"] * 257}, "body.customer_ids"),
        ({"customer_id": "a", "k": "10"}, "body.k"),
        ({"customer_id": "a", "k": True}, "body.k"),
        ({"customer_id": "a", "filters": {"category": ["x"]}}, "body.filters.category"),
        ({"customer_id": "a", "k": 3, "explore_slots": 4}, "body"),
        ({"customer_id": "a", "filters": {"where": "a" * 4_001}}, "body.filters.where"),
        ({"customer_id": "a", "rules": "block where a"}, "body.rules"),
        ({"customer_id": "a", "shown": ["b"] * 2_001}, "body.shown"),
        ([], "body"),
    ],
)
def test_a_wrong_field_is_named(service: Service, body: object, location: str) -> None:
    reply = service.post("/v1/recommendations", json=body)

    assert reply.status_code == 422
    assert [error["location"] for error in reply.json["errors"]] == [location]


@pytest.mark.parametrize("body", [b"", b"{", b'{"customer_id": "\xff"}', b'{"customer_id": "\\ud800"}', b"[" * 9_999])
def test_a_body_that_is_not_json_is_refused(service: Service, body: bytes) -> None:
    reply = service.post("/v1/recommendations", data=body, content_type="application/json")

    assert (reply.status_code, reply.json["code"]) == (400, "malformed_json")


def test_two_fields_that_do_not_go_together_are_told_in_plain_words(service: Service) -> None:
    reply = service.get(f"{PATH}?k=3&explore_slots=4")

    assert reply.json["detail"] == "query: explore_slots must not exceed k"


def test_a_body_of_another_type_is_refused(service: Service) -> None:
    reply = service.post("/v1/recommendations", data="customer_id=a", content_type="text/plain")

    assert (reply.status_code, reply.json["code"]) == (415, "not_json")


def test_a_body_too_large_is_refused(service: Service) -> None:
    reply = service.post("/v1/recommendations", json={"customer_id": "a" * 2_000_000})

    assert (reply.status_code, reply.json["code"]) == (413, "body_too_large")


def in_chunks(service: Service, stream: io.BytesIO) -> tuple[str, dict[str, object]]:
    """Status of and reply to a body without a length, handed on as a server hands on one that comes in chunks."""
    headers = {"X-API-Key": service.key}
    builder = EnvironBuilder("/v1/recommendations", method="POST", content_type="application/json", headers=headers)
    environ = builder.get_environ() | {"wsgi.input": stream, "wsgi.input_terminated": True}
    environ.pop("CONTENT_LENGTH", None)
    reply, status, _ = run_wsgi_app(service.client.application, environ)
    return status[:3], json.loads(b"".join(reply))


def test_a_body_in_chunks_is_refused_when_its_sum_is_too_large(service: Service) -> None:
    body = b'{"customer_id": "customer-1"}'

    fits, _ = in_chunks(service, io.BytesIO(body))
    too_large, problem = in_chunks(service, io.BytesIO(body.ljust(2_000_000)))

    assert (fits, too_large, problem["code"]) == ("200", "413", "body_too_large")


def test_a_body_in_chunks_that_are_none_is_the_callers_fault(service: Service) -> None:
    class Malformed(io.BytesIO):
        def readinto(self, _: object) -> int:
            raise LookupError("zz is no size of a chunk")

    status, problem = in_chunks(service, Malformed())

    assert (status, problem["code"]) == ("400", "bad_request")
