"""Slates that begin with what a running campaign promised: site, e-mail, SMS and push show the same products."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from recsvc.serving.live_data import News
from recsvc.serving.slate import Promise, Slate, has_wishes


def with_promises(
    slates: Sequence[Slate],
    news: News,
    promises: Mapping[str, Promise],
    may_be_shown: Callable[[str], bool],
) -> list[Slate]:
    """Slates, of which those of a campaign's members begin with its products, and go on as they were.

    A question with wishes of its own keeps its answer, and so does a customer who looked at or bought something since
    the launch: that is news, and the promise is not. What is sold out by now is left out.
    """
    if not promises:
        return list(slates)
    return [_with(slate, promises.get(slate.query.customer_id), news, may_be_shown) for slate in slates]


def _with(slate: Slate, promise: Promise | None, news: News, may_be_shown: Callable[[str], bool]) -> Slate:
    if promise is None:
        return slate
    query = slate.query
    if has_wishes(query) or news.clock_day(query.customer_id) > promise.made_on or not promise.items:
        return replace(slate, promise=promise)
    first = [one for one in promise.items if may_be_shown(one.item_id)]
    promised = {one.item_id for one in first}
    items = [*first, *(one for one in slate.items if one.item_id not in promised)][: query.k]
    ranked = tuple(replace(one, rank=rank) for rank, one in enumerate(items, 1))
    return replace(slate, items=ranked, promise=promise, strategy="campaign")
