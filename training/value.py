"""Fit the value models together; the formulas that use them are in `recsvc.domain.value_models`.

A model that cannot be fitted raises; `fit_value` then falls back to empirical rates and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.rfm import Rfm
from recsvc.domain.segments import HighValueRule
from recsvc.domain.transactions import TransactionModel
from recsvc.domain.value_models import ValueModels
from recsvc.errors import DataError
from training.errors import FitDidNotConverge
from training.maximum_likelihood import Diagnostics, Fitted
from training.spend import empirical_values, first_order_tells, fit_gamma_gamma
from training.transactions import MBG_NBD, Recipe, empirical_rates, fit_transactions


@dataclass(frozen=True, slots=True)
class ValueFit:
    """The value models of one training, and how each was come by."""

    models: ValueModels
    diagnostics: tuple[Diagnostics, Diagnostics]


def fit_value(rfm: Rfm, recipe: Recipe[TransactionModel] = MBG_NBD) -> ValueFit:
    """Fit both models; where one does not fit, use empirical rates and flag it in its diagnostics.

    Gamma-Gamma is fitted on repeat orders; whether first orders are looked at too is asked of the data.

    Parameters
    ----------
    rfm
        The customers.
    recipe
        Transaction model to fit, as `model_choice` chose it.
    """
    transactions = _fit_or_count(recipe, rfm)
    try:
        spend = fit_gamma_gamma(rfm.frequency, rfm.monetary_value)
    except FitDidNotConverge as reason:
        spend = empirical_values(rfm.frequency, rfm.monetary_value, str(reason))
    models = ValueModels(transactions.params, spend.params, first_order_tells(spend.params, rfm))
    return ValueFit(models, (transactions.diagnostics, spend.diagnostics))


def _fit_or_count(recipe: Recipe[TransactionModel], rfm: Rfm) -> Fitted[TransactionModel]:
    try:
        return fit_transactions(recipe, rfm.frequency, rfm.recency, rfm.T)
    except FitDidNotConverge as reason:
        return empirical_rates(rfm.frequency, rfm.T, str(reason))


def fit_high_value_rule(spend_per_active_year: Vector, share: float = 0.4) -> HighValueRule:
    """Find the spend per active year that a share of the customers reaches.

    Parameters
    ----------
    spend_per_active_year : shape (n_customers,), currency units per year
        From `recsvc.domain.segments.spend_per_active_year`.
    share : in (0, 1)
        Share of customers to select at most: many who share one value are left out together, unless nobody
        is worth more.

    Raises
    ------
    DataError
        If `share` is not in (0, 1), or there is no customer.
    """
    if not len(spend_per_active_year):
        raise DataError("high value rule", "there is no customer to set it by")
    ranked = np.sort(spend_per_active_year)
    threshold = ranked[min(int(np.ceil(len(ranked) * (1.0 - share))), len(ranked) - 1)]
    above = ranked[ranked > threshold]
    if len(above) and np.mean(ranked >= threshold) > share:
        threshold = above[0]
    return HighValueRule(share, float(threshold))
