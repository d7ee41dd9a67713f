r"""MBG/NBD: customers may leave after any order, the first included.

While active, a customer buys as a Poisson process of rate :math:`\lambda \sim \mathrm{Gamma}(r, \alpha)`;
after every order they leave for good with probability :math:`p \sim \mathrm{Beta}(a, b)`. Only the formulas
live here; `training` fits the four numbers, `transactions` puts the questions.

References
----------
Batislam, Denizel & Filiztekin (2007), International Journal of Research in Marketing 24(3)
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
class MbgNbdParams:
    """Fitted parameters, all above 0; a `TransactionModel`.

    Attributes
    ----------
    r, alpha
        Shape and rate of the purchase rates; `alpha` is in the unit of time (days).
    a, b
        Shapes of the probability to leave after an order.
    """

    NAME: ClassVar[str] = "mbg_nbd"

    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        validate_positive("MBG/NBD", asdict(self))

    def to_json(self) -> dict[str, float]:
        """Plain numbers by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MbgNbdParams:  # Any: read from JSON
        """Inverse of `to_json`."""
        return cls(**read_numbers("MBG/NBD", values, cls.__slots__))

    def alive(self, frequency: Vector, recency: Vector, T: Vector) -> Vector:
        r"""Below 1 for one-time buyers too, because they may leave after their first order.

        .. math:: P = [1 + \tfrac{a}{b+x} (\tfrac{\alpha+T}{\alpha+t_x})^{r+x}]^{-1}
        """
        silence = np.log1p((T - recency) / (self.alpha + recency))
        log_odds_gone = np.log(self.a) - np.log(self.b + frequency) + (self.r + frequency) * silence
        return np.asarray(expit(-log_odds_gone), np.float64)

    def purchases_if_alive(self, horizon: float, frequency: Vector, T: Vector) -> Vector:
        """`beta_geometric.purchases`: they stayed after all `x + 1` orders."""
        stays = self.b + frequency + 1.0
        return beta_geometric.purchases(horizon, self.r + frequency, self.alpha + T, self.a, stays)

    def purchase_if_alive(self, horizon: float, frequency: Vector, T: Vector) -> Vector:
        """`beta_geometric.purchase`."""
        return beta_geometric.purchase(horizon, self.r + frequency, self.alpha + T)

    def count_if_alive(self, count: Counts, horizon: float, frequency: Vector, T: Vector) -> Vector:
        """`beta_geometric.count_probability`."""
        stays = self.b + frequency + 1.0
        return beta_geometric.count_probability(count, horizon, self.r + frequency, self.alpha + T, self.a, stays)
