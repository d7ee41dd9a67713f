"""How a customer stands among all: quantiles fitted at training, so that one customer alone can be asked about.

Only shares of everybody are ever told from it, and none of a shop with too few customers for them to hide nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from recsvc.domain.arrays import Counts, Vector
from recsvc.domain.parameters import REFIT
from recsvc.errors import DataError

WHAT = "standing of customers"
FIGURES: Final = ("spend", "spend_per_year", "items_per_order", "price_position")
PERCENTS = 101  # quantiles at 0, 1, ... 100 %
MIN_CUSTOMERS = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """Quantiles of figures over all customers at training.

    Attributes
    ----------
    quantiles : by figure, shape (PERCENTS,), never falling
        Figures that too few customers have are left out.
    """

    quantiles: Mapping[str, Vector]

    def __post_init__(self) -> None:
        for name, values in self.quantiles.items():
            if values.shape != (PERCENTS,) or not np.isfinite(values).all() or np.any(np.diff(values) < 0):
                raise DataError(WHAT, f"{name} must hold {PERCENTS} finite numbers that never fall", REFIT)

    def percent_below(self, figure: str, values: Vector) -> Counts | None:
        """Whole percent of customers who certainly have less; shape (n_customers,), 0 to 100; None if not known.

        Examples
        --------
        >>> Standing({"spend": np.arange(101.0)}).percent_below("spend", np.array([-5.0, 50.0, 93.5, 1000.0]))
        array([  0,  49,  93, 100])
        """
        if figure not in self.quantiles:
            return None
        return np.maximum(np.searchsorted(self.quantiles[figure], values, side="left") - 1, 0)

    def percent_above(self, figure: str, values: Vector) -> Counts | None:
        """Whole percent of customers who certainly have more; as `percent_below`."""
        if figure not in self.quantiles:
            return None
        return np.minimum(PERCENTS - np.searchsorted(self.quantiles[figure], values, side="right"), PERCENTS - 1)

    def share_at(self, figure: str, percent: int) -> float | None:
        """Value that a percent of the customers stay below; None if not known."""
        return float(self.quantiles[figure][percent]) if figure in self.quantiles else None

    def to_json(self) -> dict[str, list[float]]:
        """Plain lists by name."""
        return {name: values.tolist() for name, values in self.quantiles.items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any] | None) -> Standing:  # Any: read from JSON
        """Inverse of `to_json`; bundles from before there was one know of no figure.

        Raises
        ------
        DataError
            If what is there is no table of quantiles.
        """
        try:
            return cls({name: np.array(column, np.float64) for name, column in (values or {}).items()})
        except (TypeError, ValueError) as problem:
            raise DataError(WHAT, f"a figure is not a list of numbers: {problem}", REFIT) from None
