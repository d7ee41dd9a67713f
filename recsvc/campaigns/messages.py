"""What one customer is told: products of their slate with reasons, the offer with its code, and a text for an SMS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from recsvc.campaigns.campaign_file import Campaign, Offer
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Recommendation, Slate

SMS = 160  # characters
Json = Mapping[str, Any]  # Any: JSON values
FAVOURITES, GOES_WITH, NEW, POPULAR = "favourites", "goes_with", "new", "popular"
BLOCKS: Final = {
    "bought_often": FAVOURITES,
    "bought_before": FAVOURITES,
    "session": GOES_WITH,
    "taste": GOES_WITH,
    "up_sell": GOES_WITH,
    "new_arrival": NEW,
}


def products(slate: Slate, recommender: Recommender) -> list[Json]:
    """Products of a slate as a message shows them, best first; each in the block of its first reason."""
    return [_product(one, recommender) for one in slate.items]


def offer_told(offer: Offer, campaign: Campaign, shown: Sequence[Json], code: str | None) -> Json:
    """The offer as the customer is told it: its terms, its code, and the products it counts for."""
    return {
        "name": offer.name,
        "text": offer.text or (f"{round(100 * offer.discount)} % off" if offer.discount else ""),
        "discount": offer.discount,
        "code": code,
        "valid_until": (campaign.starts_on + timedelta(days=offer.valid_days)).isoformat(),
        "eligible_item_ids": [one["item_id"] for one in shown] if offer.discount or offer.cost else [],
    }


def sms(shown: Sequence[Json], told: Json) -> str:
    """As much of it as fits one SMS: the offer and its code first, then titles.

    Examples
    --------
    >>> told = {"text": "10 % off", "code": "AB", "valid_until": "2026-03-31"}
    >>> sms([{"title": "Oat milk"}, {"title": "x" * 150}], told)
    '10 % off until 2026-03-31 with code AB: Oat milk'
    """
    head = f"{told['text']} until {told['valid_until']}" if told["text"] else ""
    if told["code"]:
        head = f"{head or 'For you'} with code {told['code']}"
    text, separator = head, ": " if head else ""
    for one in shown:
        longer = f"{text}{separator}{one['title']}"
        if len(longer) > SMS:
            break
        text, separator = longer, ", "
    return text


def _product(one: Recommendation, recommender: Recommender) -> Json:
    item, first = recommender.item(one.item_id), one.reasons[0]
    return {
        "item_id": one.item_id,
        "title": item.title or one.item_id,
        "price": item.price,
        "url": item.url,
        "image_url": item.image_url,
        "score": one.score,
        "reason": first.text,
        "reasons": [asdict(reason) for reason in one.reasons],
        "block": BLOCKS.get(first.code, POPULAR),
    }
