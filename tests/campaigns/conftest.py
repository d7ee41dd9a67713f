"""A shop with consent, time zones and unsubscriptions, and campaigns in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from recsvc.campaigns.campaign_file import Campaign
from recsvc.domain.documents import checked
from recsvc.store.engine import open_store

BASIC = {
    "name": "spring",
    "starts_on": "2026-01-05",
    "budget": 600.0,
    "offers": [
        {"name": "reminder", "lift": 0.03},
        {"name": "ten", "lift": 0.08, "discount": 0.1, "coupons": "spring10"},
    ],
    "channels": {"email": 0.02, "sms": 0.05},
    "contact": {"consent_when_unknown": True},
}


@pytest.fixture
def campaign_with() -> Callable[..., Campaign]:
    """Make a campaign that differs from the basic one in some keys."""

    def make(**changed: object) -> Campaign:
        return checked(Campaign, BASIC | changed, "a campaign")

    return make


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    engine = open_store(store_url)
    yield engine
    engine.dispose()
