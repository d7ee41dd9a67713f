"""`ETag` and `If-None-Match`: a slate that a caller holds already is not sent again (RFC 9110, section 8.8.3).

A weak tag, of everything but the id of the recommendation: that is a new one each time, and names the same slate.
"""

from __future__ import annotations

import hashlib

from flask import Response, request
from werkzeug.http import parse_etags

from recsvc.api.route import to_json

TAG_BYTES = 12
CACHING = "private, no-cache"  # may be kept by the caller alone, and must be asked for each time


def tagged(recommendation_id: str, slate: dict[str, object]) -> Response:
    """Reply with a slate, or with 304 and nothing when the caller holds the same."""
    body = to_json(slate)
    tag = hashlib.blake2b(body, digest_size=TAG_BYTES).hexdigest()
    headers = {"ETag": f'W/"{tag}"', "Cache-Control": CACHING}
    held = request.environ.get("HTTP_IF_NONE_MATCH")
    if held is not None and parse_etags(held).contains_weak(tag):
        return Response(status=304, headers=headers)
    whole = b'{"recommendation_id":"%s",%s' % (recommendation_id.encode(), body[1:])
    return Response(whole, mimetype="application/json", headers=headers)
