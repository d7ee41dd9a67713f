"""What the peers are fitted on: purchases of everybody before a day, and who is to be ranked then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from recsvc.domain.arrays import Counts, Factors, Rows
from recsvc.domain.history import Histories, concatenate
from recsvc.domain.ids import ItemIds
from recsvc.domain.item_history import item_histories
from training.records import stream_histories
from training.split import Cohort, cohort, past_of
from training.trainer import Trainer


@dataclass(frozen=True, slots=True)
class Weighting:
    """How much an item a customer bought counts: its order-days, decayed, to a power; 0 counts each item once."""

    half_life_days: float
    power: float


WEIGHTINGS = (Weighting(np.inf, 0.0), Weighting(90.0, 1.0), Weighting(90.0, 0.5), Weighting(30.0, 0.5))


@dataclass(frozen=True, slots=True, eq=False)
class PeerPast:
    """A shop before `day`; equal only to itself, so that what was computed from it can be kept.

    Attributes
    ----------
    histories : of every customer with an order before the day
    tested : who is ranked
    asked : shape (n_tested,), positions of those in `histories`
    """

    day: int
    histories: Histories
    n_catalogue: int
    ids: ItemIds
    tested: Cohort
    asked: Counts

    def weights(self, weighting: Weighting) -> sp.csr_matrix:
        """What each customer bought of the catalogue; shape (n_customers, n_catalogue), above 0."""
        clock_day = np.full(len(self.histories), self.day, np.int32)
        own = item_histories(self.histories, clock_day, weighting.half_life_days)
        inside = own.item < self.n_catalogue
        weight = own.decayed_order_days[inside] ** weighting.power
        return self.matrix(weight.astype(np.float32), own.customer[inside], own.item[inside])

    def matrix(self, weight: Factors, customer: Counts, item: Rows) -> sp.csr_matrix:
        """Customers by catalogue; entries of one pair are added."""
        shape = (len(self.histories), self.n_catalogue)
        return sp.coo_matrix((weight, (customer, item)), shape).tocsr()


def peer_past(trainer: Trainer, day: int) -> PeerPast:
    """Everybody's purchases before a day, and the customers the back-test would test on it."""
    prepared = trainer.prepared(day)
    histories = concatenate(list(stream_histories(prepared.record_batches(), prepared.customer_ids)))
    tested = cohort(past_of(histories, day), trainer.truth(day), trainer.config.backtest.silent_floor_days)
    position = {customer_id: place for place, customer_id in enumerate(histories.customer_ids)}
    asked = np.array([position[customer_id] for customer_id in tested.customer_ids], np.int64)
    ids = ItemIds(prepared.items["item_id"].to_pylist())
    return PeerPast(day, histories, prepared.n_catalogue, ids, tested, asked)
