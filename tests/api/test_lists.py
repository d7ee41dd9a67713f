from __future__ import annotations

import pytest

from recsvc.api.cursors import write_cursor
from recsvc.api.outbound import ListReply
from tests.fake_recommender import SLIPPING, WIN_BACK
from tests.service import Service

LISTS = {"/v1/win-back": WIN_BACK, "/v1/early-warning": SLIPPING}
each_list = pytest.mark.parametrize(("path", "listed"), LISTS.items())


def _all_pages(service: Service, path: str) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        reply = service.get(path + (f"&cursor={cursor}" if cursor else ""))
        page = ListReply.model_validate_json(reply.data)
        pages.append([row.customer_id for row in page.customers])
        cursor = page.next_cursor
    return pages


@each_list
def test_pages_hold_every_customer_once_in_rank_order(service: Service, path: str, listed: tuple[str, ...]) -> None:
    pages = _all_pages(service, f"{path}?limit=3")

    assert [len(page) for page in pages[:-1]] == [3] * (len(listed) // 3)
    assert [customer for page in pages for customer in page] == list(listed)


@each_list
def test_a_last_page_that_is_full_has_no_next(service: Service, path: str, listed: tuple[str, ...]) -> None:
    assert [len(page) for page in _all_pages(service, f"{path}?limit={len(listed)}")] == [len(listed)]


def test_only_customers_in_the_states_asked_for_are_listed(service: Service) -> None:
    pages = _all_pages(service, "/v1/win-back?limit=4&state=lapsed&state=lost")

    assert pages == [list(WIN_BACK[1:5]), list(WIN_BACK[5:])]


def test_every_row_says_why_and_what_to_do(service: Service) -> None:
    for path in LISTS:
        rows = ListReply.model_validate_json(service.get(path).data).customers

        assert {row.customer.why[0].code for row in rows} == {"rhythm"}
        assert {row.customer.what_to_do for row in rows} == {"Win back first."}


@each_list
def test_a_cursor_of_another_bundle_is_a_conflict(service: Service, path: str, listed: tuple[str, ...]) -> None:
    cursor = service.get(f"{path}?limit=3").json["next_cursor"]
    service.recommender.bundle_id = "b-second"

    reply = service.get(f"{path}?limit=3&cursor={cursor}")

    assert (reply.status_code, reply.json["code"]) == (409, "cursor_outdated")


def test_a_cursor_that_is_none_is_named(service: Service) -> None:
    ranks = [0, 2**40, True, False]
    forged = [*(write_cursor("b-first", rank) for rank in ranks), "bm90IGpzb24", "%C3%A9", "x"]

    replies = [service.get(f"/v1/win-back?cursor={cursor}") for cursor in forged]

    assert {reply.status_code for reply in replies} == {422}
    assert {reply.json["errors"][0]["location"] for reply in replies} == {"query.cursor"}
