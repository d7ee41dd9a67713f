"""The live data of one worker: opened once after fork, asked on behalf of every bundle it serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from recsvc.bundle.reader import Bundle
from recsvc.serving.live_campaigns import LiveCampaigns
from recsvc.serving.live_customers import LiveCustomers
from recsvc.serving.live_data import News, Stock
from recsvc.serving.live_erasures import LiveErasures
from recsvc.serving.live_stock import LiveStock
from recsvc.serving.slate import Promise
from recsvc.store.availability import AvailabilityStore
from recsvc.store.campaigns import CampaignStore
from recsvc.store.erasures import ErasureStore
from recsvc.store.events import EventStore
from recsvc.store.watch import CommitWatch


class LiveSource:
    """Makes the live data of bundles, from one database."""

    def __init__(self, engine: sa.Engine) -> None:
        self._events, self._offers = EventStore(engine), AvailabilityStore(engine)
        self._watch = CommitWatch(engine)
        self._erasures = LiveErasures(ErasureStore(engine))
        self._campaigns = LiveCampaigns(CampaignStore(engine))

    def of_bundle(self, bundle: Bundle) -> LiveOfBundle:
        """What happened since the `as_of` of a bundle, and what of its items is on sale; known when this returns."""
        customers = LiveCustomers(self._events, bundle.manifest.as_of)
        stock = LiveStock(self._offers, bundle.items.ids)
        live = LiveOfBundle(self._watch, customers, stock, self._erasures, self._campaigns)
        live.news(())
        return live

    def close(self) -> None:
        """Let go of the database; bundles may not be asked afterwards."""
        self._watch.close()


@dataclass(frozen=True, slots=True)
class LiveOfBundle:
    """The `LiveData` of one bundle."""

    watch: CommitWatch
    customers: LiveCustomers
    offers: LiveStock
    erasures: LiveErasures
    campaigns: LiveCampaigns

    def news(self, customer_ids: Sequence[str]) -> News:
        """What happened before this call; whether anything did is asked once, as that is most of what it costs."""
        mark = self.watch.mark()
        erased = self.erasures.among(customer_ids, mark)
        others = [one for one in customer_ids if one not in erased] if erased else customer_ids
        return News(erased, self.customers.of(others, mark), self.offers.now(mark))

    def stock(self) -> Stock:
        """What is on sale at this moment."""
        return self.offers.now(self.watch.mark())

    def erased(self, customer_ids: Sequence[str]) -> frozenset[str]:
        """Those of some customers who were erased."""
        return self.erasures.among(customer_ids, self.watch.mark())

    def promises(self, customer_ids: Sequence[str], now: datetime) -> Mapping[str, Promise]:
        """What running campaigns promised some customers; whoever is in none is left out."""
        return self.campaigns.promises(customer_ids, now)
