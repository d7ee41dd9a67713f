"""The plan of a campaign: whom to contact with which offer, who is held out, what that is expected to bring.

Nothing is stored or sent. The same bundle, campaign and contacts give the same plan, and launching is carrying it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recsvc.campaigns.campaign_file import Campaign
from recsvc.campaigns.contact import Contactable, Reach
from recsvc.campaigns.economics import Economics, Prospects, economics
from recsvc.domain.arrays import Counts, Mask, Vector
from recsvc.domain.budget import Choice, choose
from recsvc.domain.group_budget import choose_by_group
from recsvc.domain.layers import LAYERS
from recsvc.experiments.analysis import smallest_lift
from recsvc.experiments.assignment import draw_arms, lots

CONTACTED, HELD_OUT, EXPLORED = range(3)
ARMS = ("contacted", "held_out", "explored")
ROUNDS = 20  # of lowering the budget of the choice until what is spent after drawing lots fits
MORE_BUDGET = 1.1
Z = 1.96


@dataclass(frozen=True, slots=True)
class Candidates:
    """The audience of a campaign; every array has shape (n_customers,).

    Attributes
    ----------
    customer_ids : in the order of the bundle's table
    layer : position in `layers.LAYERS`: the stratum of the draw, and the group of a common offer
    prospects : what they are expected to do
    reach : who may be contacted, and on which of the campaign's channels
    contactable : what that rests on
    """

    customer_ids: pa.ChunkedArray
    layer: Counts
    prospects: Prospects
    reach: Reach
    contactable: Contactable


@dataclass(frozen=True, slots=True)
class Expected:
    """What a plan is expected to bring, in currency units and customers.

    Attributes
    ----------
    contacted, held_out : customers
    returns_anyway, extra_returns : of the contacted
    spend : of contacts and of offers that are used
    most_spend : if everybody contacted used the offer
    profit, low, high : margin of the extra returns less the spend, and where chance leaves it in 95 of 100 campaigns
        if the response curve is right
    smallest_lift : in [0, 1]; the difference in the share who return that this size can show
    extra_profit : what another tenth of the budget would bring
    """

    contacted: int
    held_out: int
    returns_anyway: float
    extra_returns: float
    spend: float
    most_spend: float
    profit: float
    low: float
    high: float
    smallest_lift: float
    extra_profit: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom a campaign contacts and holds out.

    Attributes
    ----------
    rows : position among the candidates of everybody chosen; shape (n_chosen,)
    arm : position in `ARMS`; shape (n_chosen,)
    offer : position in the campaign's offers, also of who is held out: what they would get; shape (n_chosen,)
    left_out : customers by reason; each customer of the audience is chosen or counted here, once
    """

    campaign: Campaign
    candidates: Candidates
    rows: Counts
    arm: Counts
    offer: Counts
    left_out: Mapping[str, int]
    expected: Expected
    economics: Economics


def plan(campaign: Campaign, candidates: Candidates, margin: float) -> Plan:
    """Choose under the budget, then draw who of the chosen is held out and who gets an offer by lot.

    Parameters
    ----------
    margin : in (0, 1]
        Share of revenue that is margin.
    """
    reachable = np.flatnonzero(candidates.reach.reachable)
    found = economics(_of(candidates.prospects, reachable), campaign, margin)
    drawing = _Drawing(campaign, candidates, reachable, found)
    drawn = drawing.within(campaign.budget)
    richer = drawing.within(campaign.budget * MORE_BUDGET)
    worth = found.allowed & (found.profit > 0)
    left_out = dict(candidates.reach.counts())
    left_out["no_expected_profit"] = int((~worth.any(axis=1)).sum())
    left_out["budget"] = int(worth.any(axis=1).sum()) - len(drawn.rows)
    return Plan(
        campaign=campaign,
        candidates=candidates,
        rows=reachable[drawn.rows],
        arm=drawn.arm,
        offer=drawn.offer,
        left_out={reason: n for reason, n in left_out.items() if n},
        expected=replace(drawn.expected(found), extra_profit=richer.profit(found) - drawn.profit(found)),
        economics=found,
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Chosen customers by their row among the reachable, with arm and offer."""

    rows: Counts
    arm: Counts
    offer: Counts

    def contacted(self) -> tuple[Counts, Counts]:
        """Where in the tables of economics the contacted stand."""
        there = self.arm != HELD_OUT
        return self.rows[there], self.offer[there]

    def profit(self, found: Economics) -> float:
        return float(found.profit[self.contacted()].sum())

    def spend(self, found: Economics) -> float:
        return float(found.spend[self.contacted()].sum())

    def expected(self, found: Economics) -> Expected:
        at = self.contacted()
        extra, returns, used = found.extra_returns[at], found.returns[at], found.used[at]
        anyway, won = returns - extra, found.value[at[0]] - used
        mean = extra * won - anyway * used
        spread = Z * float(np.sqrt((extra * won**2 + anyway * used**2 - mean**2).sum()))
        profit, n_held_out = self.profit(found), int((self.arm == HELD_OUT).sum())
        base = float(anyway.mean()) if len(anyway) else 0.0
        return Expected(
            contacted=len(anyway),
            held_out=n_held_out,
            returns_anyway=float(anyway.sum()),
            extra_returns=float(extra.sum()),
            spend=self.spend(found),
            most_spend=float((found.spend[at] + (1 - returns) * used).sum()),
            profit=profit,
            low=profit - spread,
            high=profit + spread,
            smallest_lift=smallest_lift(base, len(anyway), n_held_out),
            extra_profit=0.0,
        )


class _Drawing:
    """Choice and lots for one campaign, at any budget."""

    def __init__(self, campaign: Campaign, candidates: Candidates, reachable: Counts, found: Economics) -> None:
        self.campaign, self.found = campaign, found
        self.layer = candidates.layer[reachable]
        ids = candidates.customer_ids.take(pa.array(reachable)).to_pylist()
        self.lot = lots(ids, f"arm/{campaign.name}")
        self.which_offer = lots(ids, f"offer/{campaign.name}")

    def within(self, budget: float) -> _Drawn:
        """Draw so that the contacted are expected to cost no more than the budget: lower the choice's until they do."""
        of_choice = budget / (1 - self.campaign.holdout)
        for _ in range(ROUNDS):
            drawn = self._draw(self._choice(of_choice))
            spend = drawn.spend(self.found)
            if spend <= budget:
                return drawn
            of_choice *= 0.999 * budget / spend
        return self._draw(self._choice(0.0))

    def _choice(self, budget: float) -> Choice:
        table = self.found
        if self.campaign.individual_offers:
            return choose(table.profit, table.spend, table.allowed, budget)
        return choose_by_group(table.profit, table.spend, table.allowed, self.layer, len(LAYERS), budget)[0]

    def _draw(self, choice: Choice) -> _Drawn:
        rows = np.flatnonzero(choice.chosen)
        held_out = self.campaign.holdout
        arm = draw_arms(self.lot[rows], self.layer[rows], [held_out, (1 - held_out) * self.campaign.explore])
        by_lot = _by_lot(self.found.allowed[rows], self.which_offer[rows])
        return _Drawn(rows, arm, np.where(arm == EXPLORED, by_lot, choice.offer[rows]))


def _by_lot(allowed: NDArray[np.bool_], lot: Vector) -> Counts:
    """One of each customer's allowed offers, all as likely; shape (n_customers,)."""
    place = np.floor(lot * allowed.sum(axis=1)).astype(np.int64)
    drawn: Counts = ((np.cumsum(allowed, axis=1) > place[:, None]) & allowed).argmax(axis=1)
    return drawn


def _of(prospects: Prospects, rows: Counts | Mask) -> Prospects:
    known = (name for name in Prospects.__slots__ if getattr(prospects, name) is not None)
    return Prospects(**{name: getattr(prospects, name)[rows] for name in known})
