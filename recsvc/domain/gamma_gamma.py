r"""Gamma-Gamma: what an average order of each customer is worth, with few orders shrunk to everyone's.

Order amounts of customer i are :math:`\mathrm{Gamma}(p, \nu_i)` with :math:`\nu_i \sim \mathrm{Gamma}(q, v)`.
Only the formulas live here; `training` fits the numbers.

References
----------
Fader & Hardie (2013), "The Gamma-Gamma Model of Monetary Value", brucehardie.com/notes/025
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.parameters import read_numbers, validate_positive
from recsvc.errors import DataError

FINITE_MEAN_Q = 1.05  # the population mean p v / (q - 1) explodes as q falls to 1; below this it says nothing


@dataclass(frozen=True, slots=True)
class GammaGammaParams:
    """Fitted parameters, all but the median above 0.

    Attributes
    ----------
    p, q
        Shapes of one customer's amounts and of the scales over customers.
    v : currency units
        Scale over customers.
    median : currency units, 0 or more
        Median of the customers' mean amounts: what is shrunk to when the model has no usable mean.
    """

    p: float
    q: float
    v: float
    median: float

    def __post_init__(self) -> None:
        validate_positive("Gamma-Gamma", {"p": self.p, "q": self.q, "v": self.v})
        if not (np.isfinite(self.median) and self.median >= 0):
            raise DataError("Gamma-Gamma", f"the median must be 0 or more, not {self.median}")

    @property
    def has_mean(self) -> bool:
        """Whether the mean over the population is finite; otherwise `median` stands in for it."""
        return self.q > FINITE_MEAN_Q

    @property
    def population_value(self) -> float:
        """What an average order of an average customer is worth, in currency units."""
        return self.p * self.v / (self.q - 1.0) if self.has_mean else self.median

    def to_json(self) -> dict[str, float]:
        """Plain numbers by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> GammaGammaParams:  # Any: read from JSON
        """Inverse of `to_json`."""
        return cls(**read_numbers("Gamma-Gamma", values, cls.__slots__))


def expected_average_value(params: GammaGammaParams, frequency: Vector, monetary_value: Vector) -> Vector:
    r"""Mean amount of each customer's future orders.

    The customer's own mean :math:`m_x`, shrunk to everyone's by how little was seen of it:

    .. math:: \tfrac{q-1}{px+q-1} \tfrac{pv}{q-1} + \tfrac{px}{px+q-1} m_x

    Where the population has no mean (:math:`q \le 1`) its median is shrunk to instead, with weight
    :math:`q/(px+q)`.

    Parameters
    ----------
    params
        Fitted parameters.
    frequency : shape (n_customers,), count
        Orders after the first one (:math:`x`).
    monetary_value : shape (n_customers,), currency units, 0 or more
        Mean amount of these orders (:math:`m_x`); not looked at where `frequency` is 0.

    Returns
    -------
    shape (n_customers,), currency units, 0 or more

    Raises
    ------
    DataError
        If anything is negative, or lengths differ.

    References
    ----------
    Fader & Hardie (2013), equation 5

    Examples
    --------
    >>> cdnow = GammaGammaParams(p=6.25, q=3.74, v=15.44, median=27.0)
    >>> expected_average_value(cdnow, np.array([2.0, 0.0]), np.array([22.35, 0.0])).round(2)
    array([24.66, 35.22])
    """
    if frequency.shape != monetary_value.shape:
        raise DataError("frequency, monetary_value", "lengths differ")
    if not np.all((frequency >= 0) & (monetary_value >= 0)):
        raise DataError("frequency, monetary_value", "must be 0 or more")
    prior_weight = params.q - 1.0 if params.has_mean else params.q
    own_weight = params.p * frequency
    total = prior_weight * params.population_value + own_weight * monetary_value
    return total / (prior_weight + own_weight)
