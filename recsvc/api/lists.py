"""Lists of customers to act on, page by page: whom to win back, and of whom to take care before they lapse."""

from __future__ import annotations

from collections.abc import Callable

from recsvc.api.cursors import read_cursor, write_cursor
from recsvc.api.outbound import ListReply
from recsvc.api.replies import Json, listed_json
from recsvc.api.route import Route
from recsvc.api.schemas import ListParams
from recsvc.api.services import Answers, Services
from recsvc.serving.slate import CustomerState, WinBackRow

Rows = Callable[..., tuple[WinBackRow, ...]]  # (after_rank=, limit=, states=, now=)


def win_back(services: Services, query: ListParams) -> Json:
    """One page of the customers to win back, best first."""
    recommender = services.recommender()
    return _page(services, query, recommender, recommender.win_back, lambda state: state.win_back_rank)


def early_warning(services: Services, query: ListParams) -> Json:
    """One page of the valuable customers who are slipping, most at stake first."""
    recommender = services.recommender()
    return _page(services, query, recommender, recommender.early_warning, lambda state: state.early_warning_rank)


def _page(
    services: Services,
    query: ListParams,
    recommender: Answers,
    rows_of: Rows,
    rank_of: Callable[[CustomerState], int | None],
) -> Json:
    after_rank = read_cursor(query.cursor, recommender.bundle_id) if query.cursor else 0
    states = frozenset[str](query.state)  # none means all on the list
    one_more = query.limit + 1  # tells whether there is a next page
    rows = rows_of(after_rank=after_rank, limit=one_more, states=states, now=services.clock())
    page = rows[: query.limit]
    last_rank = rank_of(page[-1].customer) if len(rows) > len(page) else None
    return {
        "bundle_id": recommender.bundle_id,
        "as_of": recommender.as_of,
        "customers": [listed_json(row) for row in page],
        "next_cursor": None if last_rank is None else write_cursor(recommender.bundle_id, last_rank),
    }


ROUTES = (
    Route(
        "GET",
        "/v1/win-back",
        win_back,
        "Customers worth winning back, best first; follow `next_cursor`",
        scope="read",
        query=ListParams,
        replies=(ListReply,),
        statuses=(409,),
    ),
    Route(
        "GET",
        "/v1/early-warning",
        early_warning,
        "Valuable customers who are slipping but not lapsed, most at stake first; follow `next_cursor`",
        scope="read",
        query=ListParams,
        replies=(ListReply,),
        statuses=(409,),
    ),
)
