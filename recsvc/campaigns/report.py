"""What a campaign brought about, by comparing arms as assigned; nothing here reads a store or a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np

from recsvc.campaigns.campaign_file import Campaign
from recsvc.campaigns.outcomes import Outcomes
from recsvc.domain.arrays import Counts, Mask, Vector
from recsvc.domain.layers import LABELS, LAYERS
from recsvc.experiments.analysis import (
    Arm,
    Difference,
    lift,
    lift_at_any_time,
    mean_difference,
    without_what_was_known,
)

FEW = 5  # returns of an arm below which means of money say nothing


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One arm, or a part of it.

    Attributes
    ----------
    customers, returned : count
    share : in [0, 1]; who returned
    spend, profit : currency units a customer; profit is margin less what offer and contact cost
    """

    customers: int
    returned: int
    share: float
    spend: float
    profit: float


@dataclass(frozen=True, slots=True)
class Part:
    """Contacted against held out among some of the members.

    Attributes
    ----------
    by, name : `layer`, `offer` or `channel`, and which
    held_out : None of a channel: who is held out has none
    """

    by: str
    name: str
    label: str
    contacted: ArmRow
    held_out: ArmRow | None
    lift: Difference | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a campaign brought about.

    Attributes
    ----------
    lift : share who returned because of it, to be read once, at the end
    lift_at_any_time : the same with an interval that holds however often one looks
    incremental_customers : customers won, of all contacted
    incremental_profit : currency units, of all contacted, after what spend before the campaign explains (CUPED)
    cost : currency units, of offers and contacts
    cost_per_win_back : currency units; None where no customer was won
    median_days_to_return : of the contacted who returned; None without any
    second_order_share : of the contacted who returned, those who ordered again within the window
    last_touch : what is claimed where every return after a message is called won: customers, and profit
    parts : by layer, offer and channel
    verdict : one sentence
    """

    contacted: ArmRow
    held_out: ArmRow
    lift: Difference
    lift_at_any_time: Difference
    incremental_customers: Difference
    incremental_profit: Difference
    cost: float
    cost_per_win_back: float | None
    median_days_to_return: float | None
    second_order_share: float
    redeemed: int
    last_touch_customers: int
    last_touch_profit: float
    parts: tuple[Part, ...]
    is_over: bool
    verdict: str


def report(campaign: Campaign, found: Outcomes, *, is_over: bool) -> Report:
    """Compare the arms of a campaign.

    Parameters
    ----------
    is_over
        Whether all days that count have passed.
    """
    contacted = found.contacted
    treated, control = _arm(found, contacted), _arm(found, ~contacted)
    final, early = lift(treated, control), lift_at_any_time(treated, control)
    known = without_what_was_known(found.profit, found.spend_before) if len(contacted) else found.profit
    profit = _profit(known, found, treated, control)
    n, cost = int(contacted.sum()), float(found.cost.sum())
    won = _times(final, n)
    back = contacted & found.returned
    return Report(
        contacted=_row(found, contacted),
        held_out=_row(found, ~contacted),
        lift=final,
        lift_at_any_time=early,
        incremental_customers=won,
        incremental_profit=_times(profit, n),
        cost=cost,
        cost_per_win_back=cost / won.value if won.value > 0 else None,
        median_days_to_return=float(np.median(found.days_to_return[back])) if back.any() else None,
        second_order_share=float((found.orders[back] > 1).mean()) if back.any() else 0.0,
        redeemed=int(found.redeemed[contacted].sum()),
        last_touch_customers=int(back.sum()),
        last_touch_profit=float(found.profit[back].sum()),
        parts=(*_by_layer(found), *_by_offer(found, campaign), *_by_channel(found, campaign)),
        is_over=is_over,
        verdict=verdict(final, early, is_over=is_over),
    )


def verdict(final: Difference, early: Difference, *, is_over: bool) -> str:
    """What can be said by now, in one sentence.

    Examples
    --------
    >>> verdict(Difference(0.03, 0.01, 0.05), Difference(0.03, -0.01, 0.07), is_over=False)
    'Not enough yet: by the interval for early looks, between 1.0 points fewer and 7.0 points more returned.'
    >>> verdict(Difference(0.03, 0.01, 0.05), Difference(0.03, -0.01, 0.07), is_over=True)
    'The campaign brought customers back: between 1.0 points more and 5.0 points more returned.'
    """
    said = final if is_over else early
    if not isfinite(said.low):
        return "Nothing can be said: one of the arms is empty."
    between = f"between {_points(said.low)} and {_points(said.high)} returned."
    if said.low > 0:
        return f"The campaign brought customers back: {between}"
    if said.high < 0:
        return f"The campaign kept customers away: {between}"
    if is_over:
        return f"No effect beyond chance: {between}"
    return f"Not enough yet: by the interval for early looks, {between}"


def _points(share: float) -> str:
    return f"{abs(100 * share):.1f} points {'more' if share >= 0 else 'fewer'}"


def _profit(known: Vector, found: Outcomes, treated: Arm, control: Arm) -> Difference:
    """Profit a customer brought about; without an interval where so few returned that none would hold."""
    difference = mean_difference(known[found.contacted], known[~found.contacted])
    if min(int(treated.returned.sum()), int(control.returned.sum())) < FEW:
        return Difference(difference.value, -inf, inf)
    return difference


def _arm(found: Outcomes, who: Mask) -> Arm:
    """Returned and customers of an arm by layer, the strata the lots were drawn in."""
    layer = found.layer[who]
    returned = np.bincount(layer, found.returned[who], len(LAYERS)).astype(np.int64)
    return Arm(returned, np.bincount(layer, minlength=len(LAYERS)))


def _row(found: Outcomes, who: Mask) -> ArmRow:
    n = int(who.sum())
    return ArmRow(
        customers=n,
        returned=int(found.returned[who].sum()),
        share=float(found.returned[who].mean()) if n else 0.0,
        spend=float(found.spend[who].mean()) if n else 0.0,
        profit=float(found.profit[who].mean()) if n else 0.0,
    )


def _by_layer(found: Outcomes) -> list[Part]:
    return _compared(found, "layer", found.layer, LAYERS, [LABELS[name] for name in LAYERS])


def _by_offer(found: Outcomes, campaign: Campaign) -> list[Part]:
    """Without those whose offer was drawn by lot: who is held out would have got the chosen one."""
    chosen = ~found.explored
    names = [offer.name for offer in campaign.offers]
    return _compared(found, "offer", np.where(chosen, found.offer, -1), names, names)


def _compared(found: Outcomes, by: str, group: Counts, names: Sequence[str], labels: Sequence[str]) -> list[Part]:
    parts = []
    for place, (name, label) in enumerate(zip(names, labels, strict=True)):
        treated, control = (group == place) & found.contacted, (group == place) & ~found.contacted
        if treated.any():
            difference = lift(_arm(found, treated), _arm(found, control))
            parts.append(Part(by, name, label, _row(found, treated), _row(found, control), difference))
    return parts


def _by_channel(found: Outcomes, campaign: Campaign) -> list[Part]:
    rows = {name: found.contacted & (found.channel == place) for place, name in enumerate(campaign.channels)}
    return [Part("channel", name, name, _row(found, who), None, None) for name, who in rows.items() if who.any()]


def _times(difference: Difference, n: int) -> Difference:
    return Difference(*(n * getattr(difference, name) for name in ("value", "low", "high")))
