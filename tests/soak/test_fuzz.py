from __future__ import annotations

import http.client
import subprocess
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np
import pytest

from tests.live_service import LiveService, live_service
from tests.soak.conftest import RECSVC, Shop

REQUESTS = 3_000
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
PATHS = (
    "/v1/recommendations",
    "/v1/customers/{}/recommendations",
    "/v1/customers/{}",
    "/v1/items/{}/similar",
    "/v1/win-back?cursor={}&limit={}",
    "/v1/recommendations?customer_id={}&k={}&explore_slots={}",
    "/{}",
)


@pytest.mark.soak
def test_no_request_however_odd_is_an_internal_error(shop: Shop, tmp_path: Path) -> None:
    subprocess.check_output(shop.fit(tmp_path, day=30))
    rng = np.random.default_rng(7)

    with live_service([RECSVC], tmp_path) as live:
        statuses = [_odd_request(live, rng) for _ in range(REQUESTS)]
        assert live.get("/health/ready")["status"] == "ready"

    assert {status for status in statuses if status >= 500} == set()


def _odd_request(live: LiveService, rng: np.random.Generator) -> int:
    path = PATHS[rng.integers(len(PATHS))].format(*(_odd_text(rng) for _ in range(3)))
    body = rng.bytes(int(rng.integers(200))) if rng.random() < 0.5 else _nearly_json(rng)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {live.key}"}
    connection = http.client.HTTPConnection(urlsplit(live.url).netloc, timeout=30)
    try:
        connection.request(METHODS[rng.integers(len(METHODS))], path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _odd_text(rng: np.random.Generator) -> str:
    kind = rng.integers(4)
    if kind == 0:
        return quote(rng.bytes(int(rng.integers(1, 40))), safe="")
    if kind == 1:
        return str(rng.integers(-(2**62), 2**62))
    if kind == 2:
        return quote("../'\"<é😀\x00%s" * int(rng.integers(1, 5)), safe="")
    return "C0000001"


def _nearly_json(rng: np.random.Generator) -> bytes:
    values = ("null", "[]", "{}", '"x"', "1e400", "-1", "[[[[]]]]", '"\\ud800"', "true", "NaN")
    names = ("customer_id", "customer_ids", "k", "exclude", "filters", "explore_slots", "unheard_of")
    pairs = [f'"{names[rng.integers(len(names))]}": {values[rng.integers(len(values))]}' for _ in range(3)]
    return ("{" + ", ".join(pairs) + "}").encode()
