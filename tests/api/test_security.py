from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from recsvc.api.replies import Json
from recsvc.api.route import Route
from recsvc.api.services import Services
from recsvc.store import key_ring
from recsvc.store.keys import key_id_of
from tests.fake_recommender import NOW
from tests.service import Service, serving

PATH = "/v1/customers/customer-1"


@pytest.mark.parametrize("header", ["X-API-Key: {}", "Authorization: Bearer {}", "Authorization: bearer {} "])
def test_a_key_is_taken_from_either_header(service: Service, header: str) -> None:
    name, value = header.format(service.key).split(": ")

    assert service.client.get(PATH, headers={name: value}).status_code == 200


def test_without_a_key_the_reply_says_how_to_send_one(service: Service) -> None:
    reply = service.client.get(PATH)

    assert (reply.status_code, reply.json["code"]) == (401, "key_missing")
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="recsvc"'


@pytest.mark.parametrize("change", [lambda key: key[:-1], lambda key: key + "x", str.upper, lambda key: "letmein"])
def test_a_key_that_is_not_exactly_right_is_refused(service: Service, change) -> None:  # type: ignore[no-untyped-def]
    reply = service.client.get(PATH, headers={"X-API-Key": change(service.key)})

    assert (reply.status_code, reply.json["code"]) == (401, "key_refused")


@pytest.mark.parametrize("value", ["", "é", "Basic dXNlcjpwYXNz"])
def test_an_authorization_of_another_kind_is_refused(service: Service, value: str) -> None:
    assert service.client.get(PATH, headers={"Authorization": value.encode().decode("latin-1")}).status_code == 401


def test_a_key_without_the_scope_may_not(service: Service) -> None:
    reply = service.client.get(PATH, headers={"X-API-Key": service.other_key})

    assert (reply.status_code, reply.json["code"]) == (403, "scope_missing")


def test_a_revoked_key_is_refused_once_the_ring_reads_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    assert service.get(PATH).status_code == 200

    service.keys.revoke(key_id_of(service.key) or "", revoked_at=NOW + timedelta(seconds=1))
    monkeypatch.setattr(key_ring, "MAX_AGE_SECONDS", 0.0)

    assert service.get(PATH).status_code == 401


def test_keys_can_be_turned_off_for_a_trial(tmp_path: Path) -> None:
    with serving(tmp_path, keys_required=False) as service:
        assert service.client.get(PATH).status_code == 200


def test_replies_tell_browsers_what_not_to_do(service: Service) -> None:
    headers = service.get(PATH).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "no-store"


def test_a_request_id_is_echoed_when_it_is_well_formed(service: Service) -> None:
    assert service.client.get("/health/live", headers={"X-Request-ID": "a.b-c_1"}).headers["X-Request-ID"] == "a.b-c_1"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é"])
def test_another_request_id_is_replaced(service: Service, given: str) -> None:
    reply = service.client.get("/nowhere", headers={"X-Request-ID": given.encode().decode("latin-1")})

    assert reply.headers["X-Request-ID"] != given
    assert reply.json["request_id"] == reply.headers["X-Request-ID"]


def test_keys_rotate_without_a_gap_as_two_of_one_name_work_side_by_side(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_ring, "MAX_AGE_SECONDS", 0.0)

    successor, _ = service.keys.create("tests", ["read"], created_at=NOW)
    overlap = [service.client.get(PATH, headers={"X-API-Key": key}).status_code for key in (service.key, successor)]
    service.keys.revoke(key_id_of(service.key) or "", revoked_at=NOW)
    after = [service.client.get(PATH, headers={"X-API-Key": key}).status_code for key in (service.key, successor)]

    assert overlap == [200, 200]
    assert after == [401, 200]


def test_errors_carry_the_same_headers_for_browsers(service: Service) -> None:
    wanted = ("X-Content-Type-Options", "Content-Security-Policy", "Cache-Control", "Referrer-Policy")

    replies = [service.client.get(PATH), service.client.get("/nowhere"), service.client.put(PATH)]

    assert [reply.status_code for reply in replies] == [401, 404, 405]
    assert all(reply.headers[name] == service.get(PATH).headers[name] for reply in replies for name in wanted)


def _administer(services: Services) -> Json:
    return {"bundle": services.recommender().bundle_id}


@pytest.mark.parametrize(("port", "status"), [("9000", 200), ("8000", 404)])
def test_admin_routes_answer_on_their_own_port_only_where_there_is_one(tmp_path: Path, port: str, status: int) -> None:
    routes = (Route("GET", "/v1/administer", _administer, "Admin", scope="admin"),)

    with serving(tmp_path, admin_bind="127.0.0.1:9000", routes=routes) as service:
        key, _ = service.keys.create("operator", ["admin"], created_at=NOW)
        reply = service.client.get(
            "/v1/administer", headers={"X-API-Key": key, "Host": "x:9000"}, environ_overrides={"SERVER_PORT": port}
        )

    assert reply.status_code == status
