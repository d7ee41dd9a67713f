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
from recsvc.domain.lapse import LOST, LapseParams, LapseStates, LapseThresholds, lapse_states, lapsed_after_days
from recsvc.domain.layers import (
    IS_SLIPPING,
    UNSURE,
    LayerRule,
    layer_positions,
    may_win_back,
    risk_layers,
    value_layers,
)
from recsvc.domain.outlook import NextOrder, next_order
from recsvc.domain.return_model import Targeting
from recsvc.domain.segments import HighValueRule, is_high_value, segments, spend_per_active_year
from recsvc.domain.standing import Standing
from recsvc.domain.value_models import ValueModels, clv
from recsvc.domain.warning_signs import Judged, Signs, value_at_stake, warning_signs

WIN_BACK_STATES = ("lapsed", "lost")
RARELY = 1e-6  # a smaller probability of return is told as this when spend is divided by it


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
    """Everything fitted about customers, as one bundle holds it; layers and standing came later than the rest."""

    value: ValueModels
    lapse: LapseParams
    thresholds: LapseThresholds
    high_value: HighValueRule
    economics: Economics
    targeting: Targeting
    layers: LayerRule = field(default_factory=LayerRule)
    standing: Standing = field(default_factory=lambda: Standing({}))
    category_clocks: CategoryClocks = field(default_factory=CategoryClocks)

    def value_json(self) -> dict[str, Any]:  # JSON
        """Content of `value.json`."""
        economics = {name: getattr(self.economics, name) for name in Economics.__slots__}
        lines = {"high_value": self.high_value.to_json(), "layers": self.layers.to_json()}
        return {**self.value.to_json(), **lines, "economics": economics, "standing": self.standing.to_json()}

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
            layers=LayerRule.from_json(value.get("layers")),
            standing=Standing.from_json(value.get("standing")),
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
    risk : int8, position in `layers.RISKS`
    listed : whether on the win-back list
    layer : int8, position in `layers.LAYERS`
    orders : order-days, at least 1
    days_since_last_purchase : days, at least 0
    spend : minor units, over everything on record
    probability_of_return, churn_probability : in [0, 1]; an order within the horizon, and none
    clv, expected_value_of_contact : currency units
    value_given_return : currency units; spend within the horizon of somebody who returns
    spend_per_year : currency units a year, while active
    value_at_stake : currency units; margin of the horizon's usual spend that is expected to be lost
    signs : what speaks for slipping
    facts : what all of this was computed from
    """

    lapse: LapseStates
    high_value: Mask
    segment: NDArray[np.int8]
    risk: NDArray[np.int8]
    listed: Mask
    layer: NDArray[np.int8]
    orders: Counts
    days_since_last_purchase: Counts
    spend: Money
    probability_of_return: Vector
    churn_probability: Vector
    clv: Vector
    expected_value_of_contact: Vector
    value_given_return: Vector
    spend_per_year: Vector
    value_at_stake: Vector
    signs: Signs
    facts: CustomerFacts

    @property
    def probability_alive(self) -> Vector:
        """Probability of still being active, BTYD; shape (n_customers,)."""
        return self.facts.alive

    @property
    def expected_purchases(self) -> Vector:
        """Orders within the horizon, BTYD; shape (n_customers,)."""
        return self.facts.purchases

    @property
    def expected_average_value(self) -> Vector:
        """Currency units expected of an order; shape (n_customers,)."""
        return self.facts.average_value

    def has_lapsed(self) -> Mask:
        """Who is lapsed or lost on their own clock; shape (n_customers,)."""
        return self.lapse.is_in(*WIN_BACK_STATES)

    def to_win_back(self) -> Mask:
        """Who belongs on the win-back list; shape (n_customers,)."""
        return self.listed

    def to_warn_of(self) -> Mask:
        """Who belongs on the early warning list: of high value, slipping, and not lapsed; shape (n_customers,)."""
        slipping: Mask = self.risk == IS_SLIPPING
        return self.high_value & slipping & ~self.has_lapsed()


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
    per_year = spend_per_active_year(models.value, summary, active)
    valuable = is_high_value(models.high_value, per_year)
    returns, spend = _of_return(facts, models)
    judged = Judged(state.state, 1.0 - returns, UNSURE, economics.horizon_days)
    signs = warning_signs(histories, facts, models.lapse, judged, as_of_day)
    risk = risk_layers(state.state, judged.churn, signs.any)
    return Profiles(
        lapse=state,
        high_value=valuable,
        segment=segments(valuable, state.state),
        risk=risk,
        listed=may_win_back(models.layers, state.state, judged.churn),
        layer=layer_positions(value_layers(models.layers, valuable, per_year), risk),
        orders=np.diff(histories.order_offsets),
        days_since_last_purchase=(as_of_day - histories.last_order_day()).astype(np.int64),
        spend=np.add.reduceat(histories.order_amount, histories.order_offsets[:-1]),
        probability_of_return=returns,
        churn_probability=judged.churn,
        clv=clv(models.value, summary, economics.clv_horizon_days, economics.margin, economics.discount_rate),
        expected_value_of_contact=spend * economics.margin,
        value_given_return=spend / np.maximum(returns, RARELY),
        spend_per_year=per_year,
        value_at_stake=value_at_stake(per_year, judged.churn, economics.horizon_days, economics.margin),
        signs=signs,
        facts=facts,
    )


def expected_orders(histories: Histories, figures: Profiles, models: CustomerModels, as_of_day: int) -> NextOrder:
    """When customers are expected to order next, of whom `profiles` gave the figures; no date for the lost."""
    is_lost = figures.lapse.state == LOST
    return next_order(models.lapse, figures.facts.between, histories.last_order_day(), as_of_day, is_lost)


def _of_return(facts: CustomerFacts, models: CustomerModels) -> tuple[Vector, Vector]:
    """P(return), and the spend expected within the horizon, in currency units."""
    learned = models.targeting.returns
    if learned is None:
        return facts.returns, facts.purchases * facts.average_value
    features = customer_features(facts)
    returns = learned.probability_of_return(features)
    return returns, returns * learned.value_given_return(features)
