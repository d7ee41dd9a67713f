r"""Pareto/NBD: customers may leave at any moment, whether they order or not.

While active, a customer buys as a Poisson process of rate :math:`\lambda \sim \mathrm{Gamma}(r, \alpha)`, and
leaves at the rate :math:`\mu \sim \mathrm{Gamma}(s, \beta)`. Only the formulas live here; `training` fits the
four numbers, `transactions` puts the questions.

References
----------
Schmittlein, Morrison & Colombo (1987), Management Science 33(1); Fader & Hardie (2005), brucehardie.com/notes/009
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, exprel, gammaln, xlogy

from recsvc.domain.arrays import Counts, Vector
from recsvc.domain.parameters import read_numbers, validate_positive
from recsvc.domain.pareto_integral import Integrand, log_integral

N_NODES = 32
POINTS, WEIGHTS = np.polynomial.legendre.leggauss(N_NODES)


@dataclass(frozen=True, slots=True)
class ParetoNbdParams:
    """Fitted parameters, all above 0; a `TransactionModel`.

    Attributes
    ----------
    r, alpha
        Shape and rate of the purchase rates; `alpha` is in the unit of time (days).
    s, beta
        Shape and rate of the rates of leaving; `beta` is in the unit of time (days).
    """

    NAME: ClassVar[str] = "pareto_nbd"

    r: float
    alpha: float
    s: float
    beta: float

    def __post_init__(self) -> None:
        validate_positive("Pareto/NBD", asdict(self))

    def to_json(self) -> dict[str, float]:
        """Plain numbers by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ParetoNbdParams:  # Any: read from JSON
        """Inverse of `to_json`."""
        return cls(**read_numbers("Pareto/NBD", values, cls.__slots__))

    def alive(self, frequency: Vector, recency: Vector, T: Vector) -> Vector:
        r"""Below 1 for one-time buyers too, because they may leave at any moment.

        .. math:: P = [1 + s (\alpha+T)^{r+x} (\beta+T)^s
            \int_{t_x}^T (\alpha+u)^{-(r+x)} (\beta+u)^{-(s+1)} du]^{-1}
        """
        orders = self.r + frequency
        later = np.full(len(T), self.s + 1.0)
        left = log_integral(Integrand(self.alpha, self.beta, orders, later, recency, T))
        log_odds_gone = np.log(self.s) + left + self._log_survival(orders, T)
        return np.asarray(expit(-log_odds_gone), np.float64)

    def purchases_if_alive(self, horizon: float, frequency: Vector, T: Vector) -> Vector:
        r"""Rate of the orders times the time expected until departure, of the horizon.

        .. math:: \tfrac{r+x}{\alpha+T} \tfrac{\beta+T}{s-1} [1-(\tfrac{\beta+T}{\beta+T+t})^{s-1}]
        """
        later = np.log1p(horizon / (self.beta + T))
        days = (self.beta + T) * later * exprel(-(self.s - 1.0) * later)
        return np.asarray((self.r + frequency) / (self.alpha + T) * days, np.float64)

    def purchase_if_alive(self, horizon: float, frequency: Vector, T: Vector) -> Vector:
        r"""An order comes before departure and before the end of the horizon.

        .. math:: (r+x) (\alpha+T)^{r+x} (\beta+T)^s \int_T^{T+t} (\alpha+u)^{-(r+x+1)} (\beta+u)^{-s} du
        """
        orders = self.r + frequency
        staying = np.full(len(T), self.s)
        ordered = log_integral(Integrand(self.alpha, self.beta, orders + 1.0, staying, T, T + horizon))
        return np.minimum(np.exp(np.log(orders) + ordered + self._log_survival(orders, T)), 1.0)

    def count_if_alive(self, count: Counts, horizon: float, frequency: Vector, T: Vector) -> Vector:
        r"""Exactly :math:`n` orders until the end of the horizon, or until a departure before it.

        With :math:`P_u` the negative binomial probability of `n` orders in time `u`:

        .. math:: P_t (\tfrac{\beta+T}{\beta+T+t})^s +
            \int_0^t P_u \tfrac{s}{\beta+T} (\tfrac{\beta+T}{\beta+T+u})^{s+1} du

        References
        ----------
        Fader & Hardie (2014), brucehardie.com/notes/028, before their last integration
        """
        until = horizon * (POINTS + 1.0) / 2.0
        exposure, hazard = (self.beta + T)[:, None], self.s / (self.beta + T)
        gone = np.exp(-(self.s + 1.0) * np.log1p(until / exposure)) * hazard[:, None]
        before = (self._count_without_leaving(count, until, frequency, T) * gone) @ WEIGHTS * horizon / 2.0
        stayed = np.exp(-self.s * np.log1p(horizon / (self.beta + T)))
        throughout = self._count_without_leaving(count, np.array([horizon]), frequency, T)[:, 0]
        return np.asarray(throughout * stayed + before, np.float64)

    def _count_without_leaving(self, count: Counts, until: Vector, frequency: Vector, T: Vector) -> Vector:
        """Negative binomial probability of `count` orders in each time; shape (n_customers, n_times)."""
        orders, exposure = (self.r + frequency)[:, None], (self.alpha + T)[:, None]
        n = count[:, None]
        log_ways = gammaln(orders + n) - gammaln(orders) - gammaln(n + 1.0)
        log_time = xlogy(n, until / (exposure + until)) - orders * np.log1p(until / exposure)
        return np.asarray(np.exp(log_ways + log_time), np.float64)

    def _log_survival(self, orders: Vector, T: Vector) -> Vector:
        return orders * np.log(self.alpha + T) + self.s * np.log(self.beta + T)
