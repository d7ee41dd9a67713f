"""What each offer is expected to bring and to cost for each customer, under the stated response curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.campaigns.campaign_file import Campaign, Offer
from recsvc.domain.arrays import Vector
from recsvc.domain.layers import UNSURE

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Prospects:
    """Customers who may be contacted; every array has shape (n_customers,).

    Attributes
    ----------
    returns : in [0, 1]
        P(return within the horizon) when nobody contacts them.
    value : currency units, at least 0
        Margin over the horizon of somebody who returns.
    order_value : currency units, at least 0
        Expected of one order.
    contact_cost : currency units, at least 0
    uplift : in [-1, 1]
        What a contact adds to P(return), where that was learned; None where it was not.
    """

    returns: Vector
    value: Vector
    order_value: Vector
    contact_cost: Vector
    uplift: Vector | None = None


@dataclass(frozen=True, slots=True)
class Economics:
    """Expectations of every customer and offer; every array has shape (n_customers, n_offers).

    Attributes
    ----------
    returns : in [0, 1]
        P(return) with the offer.
    extra_returns : in [0, 1]
        What of that the offer brings about.
    spend : currency units
        Of the contact, and of the offer where it is used.
    used : currency units
        What the offer costs where it is used.
    profit : currency units
        Margin of the extra returns less the spend; what nobody contacted would bring is not in it.
    allowed : whether the offer keeps to the margin floor and to the cap per customer
    value : shape (n_customers,), currency units, as in `Prospects`
    """

    returns: Table
    extra_returns: Table
    used: Table
    spend: Table
    profit: Table
    allowed: NDArray[np.bool_]
    value: Vector


def economics(prospects: Prospects, campaign: Campaign, margin: float) -> Economics:
    """Expectations under the campaign's response curve.

    An offer brings back `lift` of those who would stay away; where training learned what a contact adds, it adds that,
    times the offer's `lift` over the mean of all offers': whom is learned, how offers differ is stated. It is used by
    everybody who returns, also by those who would have returned without. Who all but surely returns is offered nothing
    that costs, whatever the curve says.

    Parameters
    ----------
    margin : in (0, 1]
        Share of revenue that is margin.
    """
    away = 1.0 - prospects.returns
    extra = _extra(prospects, _each(campaign.offers, "lift"))
    returns = prospects.returns[:, None] + extra
    used = _each(campaign.offers, "discount") * prospects.order_value[:, None] + _each(campaign.offers, "cost")
    spend = prospects.contact_cost[:, None] + returns * used
    left = margin * prospects.order_value[:, None] - used
    allowed = left >= campaign.margin_floor * prospects.order_value[:, None]
    if campaign.max_cost is not None:
        allowed &= used <= campaign.max_cost
    return Economics(
        returns=returns,
        extra_returns=extra,
        used=used,
        spend=spend,
        profit=extra * prospects.value[:, None] - spend,
        allowed=(allowed & (away >= UNSURE)[:, None]) | (used == 0),
        value=prospects.value,
    )


def _extra(prospects: Prospects, lift: Vector) -> Table:
    """What each offer adds to P(return) of each customer; shape (n_customers, n_offers)."""
    away = 1.0 - prospects.returns[:, None]
    if prospects.uplift is None:
        return away * lift
    mean = lift.mean()
    relative = lift / mean if mean else np.ones(len(lift))
    return np.clip(prospects.uplift[:, None] * relative, -prospects.returns[:, None], away)


def _each(offers: Sequence[Offer], name: str) -> Vector:
    return np.array([getattr(offer, name) for offer in offers])
