from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from recsvc.api.rate_limit import RateLimit
from recsvc.api.refusals import TooManyRequests
from tests.service import serving

PATH = "/v1/customers/customer-1"


@dataclass
class Clock:
    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def _taken(limit: RateLimit, key_id: str, tries: int) -> int:
    taken = 0
    for _ in range(tries):
        try:
            limit.take(key_id)
        except TooManyRequests:
            continue
        taken += 1
    return taken


def test_a_full_bucket_holds_what_one_second_lets_in() -> None:
    assert _taken(RateLimit(7, Clock()), "a", 20) == 7


def test_a_bucket_gains_the_rate_and_never_holds_more() -> None:
    clock = Clock()
    limit = RateLimit(10, clock)
    _taken(limit, "a", 20)

    clock.seconds += 0.3
    after_a_moment = _taken(limit, "a", 20)
    clock.seconds += 3_600.0
    after_an_hour = _taken(limit, "a", 20)

    assert (after_a_moment, after_an_hour) == (3, 10)


def test_keys_do_not_share_a_bucket() -> None:
    limit = RateLimit(3, Clock())
    _taken(limit, "a", 20)

    assert _taken(limit, "b", 20) == 3


def test_waiting_as_long_as_told_is_enough() -> None:
    clock = Clock()
    limit = RateLimit(1, clock)
    limit.take("a")

    with pytest.raises(TooManyRequests) as refused:
        limit.take("a")
    clock.seconds += refused.value.retry_after_seconds

    assert _taken(limit, "a", 5) == 1


def test_zero_is_no_limit() -> None:
    assert _taken(RateLimit(0, Clock()), "a", 5_000) == 5_000


def test_a_key_that_asks_too_often_is_told_when_to_come_back_and_others_are_served(tmp_path: Path) -> None:
    with serving(tmp_path, requests_per_second=1) as service:
        first, second = service.get(PATH), service.get(PATH)
        other = service.client.get(PATH, headers={"X-API-Key": service.other_key})

    assert (first.status_code, second.status_code, second.json["code"]) == (200, 429, "too_many_requests")
    assert second.headers["Retry-After"] == "1"
    assert other.status_code == 403
