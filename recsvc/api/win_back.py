"""The win-back list: whom to contact first, page by page."""

from __future__ import annotations

from recsvc.api.cursors import read_cursor, write_cursor
from recsvc.api.outbound import WinBackReply
from recsvc.api.replies import Json, win_back_json
from recsvc.api.route import Route
from recsvc.api.schemas import WinBackParams
from recsvc.api.services import Services


def win_back(services: Services, query: WinBackParams) -> Json:
    """One page of the list, best customers first."""
    recommender = services.recommender()
    after_rank = read_cursor(query.cursor, recommender.bundle_id) if query.cursor else 0
    states = frozenset[str](query.state)  # none means those the list is for
    one_more = query.limit + 1  # tells whether there is a next page
    rows = recommender.win_back(after_rank=after_rank, limit=one_more, states=states, now=services.clock())
    page = rows[: query.limit]
    last_rank = page[-1].customer.win_back_rank if len(rows) > len(page) else None
    return {
        "bundle_id": recommender.bundle_id,
        "as_of": recommender.as_of,
        "customers": [win_back_json(row) for row in page],
        "next_cursor": None if last_rank is None else write_cursor(recommender.bundle_id, last_rank),
    }


ROUTES = (
    Route(
        "GET",
        "/v1/win-back",
        win_back,
        "Customers worth winning back, best first; follow `next_cursor`",
        scope="read",
        query=WinBackParams,
        replies=(WinBackReply,),
        statuses=(409,),
    ),
)
