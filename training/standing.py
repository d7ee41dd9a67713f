"""Fit where the lines between layers lie, and how figures spread over customers; `recsvc.domain` applies both."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.layers import LayerRule
from recsvc.domain.segments import HighValueRule
from recsvc.domain.standing import MIN_CUSTOMERS, PERCENTS, Standing
from training.value import fit_high_value_rule

MIDDLE_SHARE = 0.5  # of those who are not of high value


def fit_layer_rule(spend_per_year: Vector, high_value: HighValueRule, win_back_churn: float) -> LayerRule:
    """Halve the customers below high value into middle and low.

    Parameters
    ----------
    spend_per_year : shape (n_customers,), currency units per year
        From `recsvc.domain.segments.spend_per_active_year`.
    win_back_churn : in [0, 1)
        From the settings.

    Examples
    --------
    >>> fit_layer_rule(np.arange(10.0), HighValueRule(0.4, 6.0), 0.1).middle
    3.0
    """
    others = spend_per_year[spend_per_year < high_value.threshold]
    middle = fit_high_value_rule(others, MIDDLE_SHARE).threshold if len(others) else high_value.threshold
    return LayerRule(middle, win_back_churn)


def fit_standing(figures: Mapping[str, Vector]) -> Standing:
    """Quantiles of each figure that enough customers have; shape (n_customers,) each.

    Quantiles are values of customers, not between two of them: a share told from them is then true of everybody.
    """
    percents = np.linspace(0.0, 1.0, PERCENTS)
    enough = {name: values for name, values in figures.items() if len(values) >= MIN_CUSTOMERS}
    return Standing({name: np.quantile(values, percents, method="inverted_cdf") for name, values in enough.items()})
