from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from recsvc.store.engine import StoreUnavailable
from tests.fake_recommender import CREATED_AT, NOW
from tests.service import Service, serving


def test_a_process_without_a_bundle_lives_but_is_not_ready(service: Service) -> None:
    service.live.recommender = None

    live, ready, slate = (
        service.client.get("/health/live"),
        service.client.get("/health/ready"),
        service.get("/v1/customers/a/recommendations"),
    )

    assert live.json == {"status": "alive"}
    assert (ready.status_code, ready.json["code"]) == (503, "not_ready")
    assert (slate.status_code, slate.headers["Retry-After"]) == (503, "5")


def test_ready_says_which_bundle_answers_and_what_was_wrong_with_the_next(service: Service) -> None:
    service.live.problem = "bundle b-second: items.parquet is missing"

    ready = service.client.get("/health/ready")

    assert ready.status_code == 200
    assert ready.json["bundle_id"] == "b-first"
    assert ready.json["created_at"] == "2026-02-27T03:00:00Z"
    assert ready.json["problem"] == "bundle b-second: items.parquet is missing"


@pytest.mark.parametrize(("age_days", "status"), [(30, 200), (31, 503)])
def test_ready_ends_when_the_bundle_is_too_old(tmp_path: Path, age_days: int, status: int) -> None:
    now = CREATED_AT + timedelta(days=age_days)

    with serving(tmp_path, now=now, max_bundle_age_days=30) as service:
        ready = service.client.get("/health/ready")

    assert ready.status_code == status


def test_ready_ends_when_the_store_does_not_answer(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sa.Engine, "begin", _broken)

    ready = service.client.get("/health/ready")

    assert (ready.status_code, ready.json["code"]) == (503, StoreUnavailable.code)


def _broken(engine: sa.Engine) -> None:
    raise sa.exc.OperationalError("select 1", {}, Exception("disk"))


def test_metrics_count_by_route_template_and_status(service: Service) -> None:
    service.get("/v1/customers/secret-person/recommendations?category=toys")
    service.get("/v1/customers/customer-1/recommendations?k=0")
    service.client.get("/nowhere/secret-person")

    page = service.get("/metrics").text

    route = 'route="/v1/customers/{customer_id}/recommendations"'
    assert f'recsvc_http_request_seconds_count{{method="GET",{route},status="200"}} 1.0' in page
    assert f'recsvc_http_request_seconds_count{{method="GET",{route},status="422"}} 1.0' in page
    assert 'route="unmatched",status="404"} 1.0' in page
    assert "secret-person" not in page


def test_metrics_tell_the_fallback_and_the_empty_share(service: Service) -> None:
    service.get("/v1/customers/customer-1/recommendations")
    service.get("/v1/customers/nobody/recommendations?category=toys")

    page = service.get("/metrics").text

    assert 'recsvc_slates_total{strategy="personal"} 1.0' in page
    assert 'recsvc_slates_total{strategy="popular"} 1.0' in page
    assert "recsvc_empty_slates_total 1.0" in page


def test_metrics_tell_the_bundle_after_a_swap_though_nobody_asked_since(service: Service) -> None:
    before = service.get("/metrics").text
    service.recommender.bundle_id = "b-second"
    service.live.changed()

    page = service.get("/metrics").text

    assert 'recsvc_bundle_info{bundle_id="b-first"} 1.0' in before

    assert 'recsvc_bundle_info{bundle_id="b-first"} 0.0' in page
    assert 'recsvc_bundle_info{bundle_id="b-second"} 1.0' in page
    assert 'recsvc_bundle_created_timestamp_seconds{bundle_id="b-second"} 1.772' in page
    assert "recsvc_bundle_problem 0.0" in page


def test_metrics_tell_that_a_newer_bundle_would_not_load(service: Service) -> None:
    service.live.problem = "bundle b-second: items.parquet is missing"
    service.live.changed()

    assert "recsvc_bundle_problem 1.0" in service.get("/metrics").text


def test_metrics_need_a_key_unless_made_public(service: Service, tmp_path: Path) -> None:
    with serving(tmp_path / "public", metrics_public=True) as public:
        open_page = public.client.get("/metrics")

    assert open_page.status_code == 200
    assert service.client.get("/metrics").status_code == 401


def test_metrics_tell_how_late_new_events_come(service: Service) -> None:
    moments = [NOW - timedelta(seconds=30), NOW - timedelta(hours=2), NOW + timedelta(minutes=5)]
    events = [
        {"event_id": f"e-{number}", "kind": "view", "customer_id": "a", "item_id": "i"}
        | {"occurred_at": moment.isoformat()}
        for number, moment in enumerate(moments)
    ]

    for _ in range(2):  # what is sent again is not late, it is a duplicate
        service.post("/v1/events", json={"events": events})

    page = service.get("/metrics").text
    assert 'recsvc_event_lag_seconds_bucket{le="1.0"} 1.0' in page
    assert 'recsvc_event_lag_seconds_bucket{le="60.0"} 2.0' in page
    assert "recsvc_event_lag_seconds_count 3.0" in page


def test_metrics_tell_whether_the_store_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path, metrics_public=True) as service:
        before = service.client.get("/metrics").text
        monkeypatch.setattr(sa.Engine, "begin", _broken)
        after = service.client.get("/metrics").text

    assert "recsvc_store_reachable 1.0" in before
    assert "recsvc_store_reachable 0.0" in after
