r"""BG/NBD: customers may leave after any *repeat* order, never after the first.

While active, a customer buys as a Poisson process of rate :math:`\lambda \sim \mathrm{Gamma}(r, \alpha)`;
after every repeat order they leave for good with probability :math:`p \sim \mathrm{Beta}(a, b)`. The commonest
of the three, and blind to one-time buyers: it takes every one of them for active, for ever, so ordering
customers by P(alive) puts them first. `lapse` judges them instead.

References
----------
Fader, Hardie & Lee (2005), Marketing Science 24(2); brucehardie.com/notes/021
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from recsvc.domain import beta_geometric
from recsvc.domain.arrays import Counts, Vector
from recsvc.domain.parameters import read_numbers, validate_positive


@dataclass(frozen=True, slots=True)
class BgNbdParams:
    """Fitted parameters, all above 0; a `TransactionModel`.

    Attributes
    ----------
    r, alpha
        Shape and rate of the purchase rates; `alpha` is in the unit of time (days).
    a, b
        Shapes of the probability to leave after a repeat order.
    """

    NAME: ClassVar[str] = "bg_nbd"

    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        validate_positive("BG/NBD", asdict(self))

    def to_json(self) -> dict[str, float]:
        """Plain numbers by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> BgNbdParams:  # Any: read from JSON
        """Inverse of `to_json`."""
        return cls(**read_numbers("BG/NBD", values, cls.__slots__))

    def alive(self, frequency: Vector, recency: Vector, T: Vector) -> Vector:
        r"""Exactly 1.0 where `frequency` is 0: the model's assumption, not a finding about one-time buyers.

        .. math:: P = [1 + \tfrac{a}{b+x-1} (\tfrac{\alpha+T}{\alpha+t_x})^{r+x}]^{-1}, \quad x > 0
        """
        repeats = np.maximum(frequency, 1.0)
        silence = np.log1p((T - recency) / (self.alpha + recency))
        log_odds_gone = np.log(self.a) - np.log(self.b + repeats - 1.0) + (self.r + repeats) * silence
        return np.where(frequency > 0, expit(-log_odds_gone), 1.0)

    def purchases_if_alive(self, horizon: float, frequency: Vector, T: Vector) -> Vector:
        """`beta_geometric.purchases`: they stayed after all `x` repeat orders."""
        stays = self.b + frequency
        return beta_geometric.purchases(horizon, self.r + frequency, self.alpha + T, self.a, stays)

    def purchase_if_alive(self, horizon: float, frequency: Vector, T: Vector) -> Vector:
        """`beta_geometric.purchase`."""
        return beta_geometric.purchase(horizon, self.r + frequency, self.alpha + T)

    def count_if_alive(self, count: Counts, horizon: float, frequency: Vector, T: Vector) -> Vector:
        """`beta_geometric.count_probability`."""
        stays = self.b + frequency
        return beta_geometric.count_probability(count, horizon, self.r + frequency, self.alpha + T, self.a, stays)
