"""What put a customer on a list: each family of facts, and how much it moves this customer's place.

The win-back list stands in order of P(return) x value, so a feature moves the logarithm of a customer's worth by
(1 - P) x its part of the log odds, plus its part of the log value; the early warning list in order of usual spend x
P(staying away). Parts of features that people see as one thing are added up. Only numbers here; `serving.whys` has
the words.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.customer_features import CALENDAR, FEATURE_NAMES, customer_features
from recsvc.domain.profiles import CustomerModels, Profiles
from recsvc.domain.return_model import PAST_SPEND, ReturnModel

VALUE, RHYTHM, TREND, BREADTH, LOYALTY, OUTLOOK = "value", "rhythm", "trend", "breadth", "loyalty", "outlook"
SATISFACTION, CONTACT, INTEREST = "satisfaction", "contact", "interest"
DISCOUNTS, RETURNS = "discounts", "returns"
FAMILY_OF: Final = {
    "gaps_passed": RHYTHM,
    "surprise": RHYTHM,
    "silence": RHYTHM,
    "typical_gap": RHYTHM,
    "silence_in_gaps": RHYTHM,
    "irregularity": RHYTHM,
    "alive": RHYTHM,
    "btyd_return": RHYTHM,
    "orders": VALUE,
    "bought_once": VALUE,
    "spend": VALUE,
    "spend_per_order": VALUE,
    "btyd_purchases": VALUE,
    "average_value": VALUE,
    "tenure": LOYALTY,
    "last_amount": TREND,
    "orders_trend": TREND,
    "spend_trend": TREND,
    "breadth": BREADTH,
    **dict.fromkeys(("nps", "csat", "sentiment", "complaints", "complained"), SATISFACTION),
    **dict.fromkeys(("contacted", "opened", "clicked"), CONTACT),
    **dict.fromkeys(("browsed", "carted", "visited", "presence", "presence_trend"), INTEREST),
    "discounted": DISCOUNTS,
    "returned": RETURNS,
    **dict.fromkeys(CALENDAR, OUTLOOK),
}
FAMILIES: Final = (
    *(VALUE, RHYTHM, TREND, BREADTH, LOYALTY),
    *(SATISFACTION, CONTACT, INTEREST, DISCOUNTS, RETURNS, OUTLOOK),
)


def family_weights(figures: Profiles, models: CustomerModels, *, warning: bool) -> dict[str, Vector]:
    """How far each family moves each customer's worth from that of the average customer, as a difference of logarithms.

    Parameters
    ----------
    figures
        Of the customers.
    warning
        For their place on the early warning list, not on the win-back list.

    Returns
    -------
    by family, shape (n_customers,); above 0 moves up
        Empty where nothing learned orders the list.
    """
    learned = models.targeting.returns
    if learned is None or (models.targeting.ordering == PAST_SPEND and not warning):
        return {}
    standard = learned.standardised(customer_features(figures.facts))
    parts = _parts_of_loss(learned, standard, figures) if warning else _parts_of_worth(learned, standard, figures)
    weights = {family: np.zeros(len(standard)) for family in FAMILIES}
    for name, part in zip(FEATURE_NAMES, parts.T, strict=True):
        weights[FAMILY_OF[name]] += part
    if warning:
        usual = models.standing.share_at("spend_per_year", 50)
        weights[VALUE] += np.log((figures.spend_per_year + 1.0) / ((usual or 0.0) + 1.0))
    return weights


def _parts_of_worth(learned: ReturnModel, standard: Vector, figures: Profiles) -> Vector:
    odds = standard * (learned.slope * learned.return_weight)
    return figures.churn_probability[:, None] * odds + standard * learned.value_weight


def _parts_of_loss(learned: ReturnModel, standard: Vector, figures: Profiles) -> Vector:
    return -figures.probability_of_return[:, None] * standard * (learned.slope * learned.return_weight)
