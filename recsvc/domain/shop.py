"""What ranking knows beside the customer: items, taste, what goes together, and everyone's rhythm."""

from __future__ import annotations

from dataclasses import dataclass

from recsvc.domain.arrays import Factors
from recsvc.domain.items import ItemTable
from recsvc.domain.lapse import LapseParams
from recsvc.domain.neighbours import Neighbours


@dataclass(frozen=True, slots=True)
class Shop:
    """One bundle, customers and catalogue texts aside.

    Attributes
    ----------
    factors : shape (n_catalogue, n_factors)
    bought_together, liked_together
        Neighbours within an order, and within a customer's liking.
    rhythm
        The personal clock's parameters.
    """

    items: ItemTable
    factors: Factors
    bought_together: Neighbours
    liked_together: Neighbours
    rhythm: LapseParams
