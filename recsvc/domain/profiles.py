"""Where customers stand and what they are worth: every figure of a customer in one place, for many or for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Counts, Mask, Money, Vector
from recsvc.domain.category_clock import CategoryClocks
from recsvc.domain.customer_features import CustomerFacts, customer_facts, customer_features
from recsvc.domain.history import Histories
from recsvc.domain.lapse import LapseParams, LapseStates, LapseThresholds, lapse_states, lapsed_after_days
from recsvc.domain.return_model import Targeting
from recsvc.domain.segments import HighValueRule, is_high_value, segments, spend_per_active_year
from recsvc.domain.value_models import ValueModels, clv

WIN_BACK_STATES = ("lapsed", "lost")


@dataclass(frozen=True, slots=True)
class Economics:
    """How value is counted.

    Attributes
    ----------
    horizon_days : at least 1
        Window of "will they return".
    clv_horizon_days : at least 1
    margin : in (0, 1]
        Share of revenue that is margin; 1 counts revenue.
    discount_rate : at least 0, per year
    """

    horizon_days: int
    clv_horizon_days: int
    margin: float
    discount_rate: float


@dataclass(frozen=True, slots=True)
class CustomerModels:
    """Everything fitted about customers, as one bundle holds it."""

    value: ValueModels
    lapse: LapseParams
    thresholds: LapseThresholds
    high_value: HighValueRule
    economics: Economics
    targeting: Targeting
    category_clocks: CategoryClocks = field(default_factory=CategoryClocks)

    def value_json(self) -> dict[str, Any]:  # JSON
        """Content of `value.json`."""
        economics = {name: getattr(self.economics, name) for name in Economics.__slots__}
        return {**self.value.to_json(), "high_value": self.high_value.to_json(), "economics": economics}

    def lapse_json(self) -> dict[str, Any]:  # JSON
        """Content of `lapse.json`."""
        categories = self.category_clocks.to_json()
        return {"gaps": self.lapse.to_json(), "thresholds": self.thresholds.to_json(), "categories": categories}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], lapse: Mapping[str, Any], targeting: Targeting) -> CustomerModels:
        """Inverse of `value_json` and `lapse_json`, with what `return_model.json` holds."""
        return cls(
            value=ValueModels.from_json(value),
            lapse=LapseParams.from_json(lapse["gaps"]),
            thresholds=LapseThresholds.from_json(lapse["thresholds"]),
            high_value=HighValueRule.from_json(value["high_value"]),
            economics=Economics(**value["economics"]),
            targeting=targeting,
            category_clocks=CategoryClocks.from_json(lapse.get("categories", {})),  # older bundles hold none
        )


@dataclass(frozen=True, slots=True)
class Profiles:
    """Figures of a batch of customers on one day; every array has shape (n_customers,).

    Attributes
    ----------
    lapse : state on the personal clock, with dates
    high_value : top customers by expected spend per year while active
    segment : int8, position in `segments.SEGMENTS`
    orders : order-days, at least 1
    days_since_last_purchase : days, at least 0
    spend : minor units, over everything on record
    probability_alive : in [0, 1]
    probability_of_return : in [0, 1]; an order within the horizon
    expected_purchases : orders within the horizon
    expected_average_value, clv, expected_value_of_contact : currency units
    """

    lapse: LapseStates
    high_value: Mask
    segment: NDArray[np.int8]
    orders: Counts
    days_since_last_purchase: Counts
    spend: Money
    probability_alive: Vector
    probability_of_return: Vector
    expected_purchases: Vector
    expected_average_value: Vector
    clv: Vector
    expected_value_of_contact: Vector

    def to_win_back(self) -> Mask:
        """Who belongs on the win-back list; shape (n_customers,)."""
        return self.lapse.is_in(*WIN_BACK_STATES)


def profiles(histories: Histories, models: CustomerModels, as_of_day: int) -> Profiles:
    """Figures of customers who all have at least one order.

    Expected value of contact is P(return) x E[margin over the horizon | return] (second lifetime value) from the return
    model; where BTYD stands in, it is expected purchases x expected average value x margin.

    Parameters
    ----------
    histories, models
        Records and what was fitted.
    as_of_day : days since 1970-01-01, exclusive
        All orders lie before it.

    References
    ----------
    Stauss & Friege (1999), Regaining Service Customers, Journal of Service Research 1(4)
    """
    economics = models.economics
    facts = customer_facts(histories, models.value, models.lapse, economics.horizon_days, as_of_day)
    summary, between = facts.summary, facts.between
    state = lapse_states(models.lapse, models.thresholds, between, histories.last_order_day(), as_of_day)
    active = lapsed_after_days(models.lapse, models.thresholds, between)
    valuable = is_high_value(models.high_value, spend_per_active_year(models.value, summary, active))
    returns, value_of_contact = _of_contact(facts, models)
    return Profiles(
        lapse=state,
        high_value=valuable,
        segment=segments(valuable, state.state),
        orders=np.diff(histories.order_offsets),
        days_since_last_purchase=(as_of_day - histories.last_order_day()).astype(np.int64),
        spend=np.add.reduceat(histories.order_amount, histories.order_offsets[:-1]),
        probability_alive=facts.alive,
        probability_of_return=returns,
        expected_purchases=facts.purchases,
        expected_average_value=facts.average_value,
        clv=clv(models.value, summary, economics.clv_horizon_days, economics.margin, economics.discount_rate),
        expected_value_of_contact=value_of_contact,
    )


def _of_contact(facts: CustomerFacts, models: CustomerModels) -> tuple[Vector, Vector]:
    """P(return), and the expected value of a contact in currency units."""
    margin, learned = models.economics.margin, models.targeting.figures
    if learned is None:
        return facts.returns, facts.purchases * facts.average_value * margin
    features = customer_features(facts)
    returns = learned.probability_of_return(features)
    return returns, returns * learned.value_given_return(features) * margin
