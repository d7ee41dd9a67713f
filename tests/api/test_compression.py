from __future__ import annotations

import gzip
import json

import pytest

from recsvc.api.compression import MIN_BYTES
from tests.service import Service

BATCH = {"customer_ids": [f"customer-{n}" for n in range(30)]}


def _ask(service: Service, encodings: str, path: str = "/v1/recommendations"):  # type: ignore[no-untyped-def]
    headers = {"X-API-Key": service.key, "Accept-Encoding": encodings}
    return service.client.post(path, json=BATCH, headers=headers)


def test_a_large_reply_is_compressed_for_who_takes_it(service: Service) -> None:
    plain, packed = _ask(service, "identity"), _ask(service, "br, gzip;q=0.8")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.data) < MIN_BYTES < len(plain.data)
    assert len(json.loads(gzip.decompress(packed.data))["slates"]) == len(plain.json["slates"]) == 30
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("encodings", ["", "identity", "br", "gzip;q=0", "nonsense;;q=x"])
def test_who_does_not_take_gzip_gets_none(service: Service, encodings: str) -> None:
    reply = _ask(service, encodings)

    assert "Content-Encoding" not in reply.headers
    assert len(reply.json["slates"]) == 30


def test_a_small_reply_is_left_as_it_is(service: Service) -> None:
    headers = {"X-API-Key": service.key, "Accept-Encoding": "gzip"}
    reply = service.client.get("/v1/customers/customer-1/recommendations?k=10", headers=headers)

    assert "Content-Encoding" not in reply.headers
    assert "Vary" not in reply.headers
