"""How a shop keeps its customers: the figures marketers steer by, over a window of days, as sums that add up."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from recsvc.domain.arrays import Counts, Mask, Vector
from recsvc.domain.history import Histories, take
from recsvc.domain.lapse import lapse_states
from recsvc.domain.layers import LAYERS
from recsvc.domain.past_records import records_before, spend_between
from recsvc.domain.profiles import WIN_BACK_STATES, CustomerModels, profiles
from recsvc.domain.rfm import gaps, rfm
from recsvc.domain.touchpoints import KINDS, Touchpoints
from recsvc.domain.value_models import clv
from recsvc.experiments.analysis import Arm, Difference, lift

PROMOTER, DETRACTOR = 9.0, 6.0  # of 0 to 10, from and up to
SATISFIED = 0.75  # of 0 to 1: four of five stars
NEWCOMERS = "newcomers"  # beside the layers: who had not ordered when the window began


@dataclass(frozen=True, slots=True)
class KpiSums:
    """Sums over customers for one window; those of parts of the customers add up.

    Attributes
    ----------
    customers : who ordered before the window's end
    buyers, repeat_buyers : who ordered in the window, and of those who had more than one order by its end
    orders, spend : of the window; count, and currency units
    bought_before, kept : who ordered in a window of the same length just before, and of those who did so again
    lapsed, won_back : who were lapsed or lost by their own clock when it began, and of those who ordered in it
    held_out_lapsed, held_out_won_back : the same of the global holdout
    clv : currency units, at the window's end
    promoters, detractors, nps_answers, satisfied, csat_answers : answers in the window
    """

    customers: int = 0
    buyers: int = 0
    repeat_buyers: int = 0
    orders: int = 0
    spend: float = 0.0
    bought_before: int = 0
    kept: int = 0
    lapsed: int = 0
    won_back: int = 0
    held_out_lapsed: int = 0
    held_out_won_back: int = 0
    clv: float = 0.0
    promoters: int = 0
    detractors: int = 0
    nps_answers: int = 0
    satisfied: int = 0
    csat_answers: int = 0

    def __add__(self, other: KpiSums) -> KpiSums:
        """Sums over both parts of the customers."""
        return KpiSums(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def rates(self) -> dict[str, float | None]:
        """Shares and means by name; None where nobody is there to be counted.

        Examples
        --------
        >>> found = KpiSums(lapsed=40, won_back=10, bought_before=100, kept=70, nps_answers=4, promoters=2).rates()
        >>> found["win_back_rate"], found["churn"], found["nps"], found["repeat_rate"]
        (0.25, 0.3, 50.0, None)
        """
        retention = _ratio(self.kept, self.bought_before)
        return {
            "win_back_rate": _ratio(self.won_back, self.lapsed),
            "repeat_rate": _ratio(self.repeat_buyers, self.buyers),
            "retention": retention,
            "churn": None if retention is None else round(1.0 - retention, 12),
            "average_order_value": _ratio(self.spend, self.orders),
            "clv_per_customer": _ratio(self.clv, self.customers),
            "nps": _ratio(100 * (self.promoters - self.detractors), self.nps_answers),
            "csat": _ratio(self.satisfied, self.csat_answers),
        }

    def contact_lift(self) -> Difference:
        """Win-back rate of everybody less that of the global holdout: what all campaigns do together."""
        everybody = Arm(
            np.array([self.won_back - self.held_out_won_back]), np.array([self.lapsed - self.held_out_lapsed])
        )
        return lift(everybody, Arm(np.array([self.held_out_won_back]), np.array([self.held_out_lapsed])))


def kpi_sums(histories: Histories, models: CustomerModels, held_out: Mask, end_day: int, days: int) -> KpiSums:
    """Sums of a batch of customers for the `days` before `end_day`.

    Parameters
    ----------
    held_out : shape (n_customers,)
        The global holdout.
    end_day : days since 1970-01-01, exclusive
    days : at least 1
    """
    begin_day = end_day - days
    spent, orders = spend_between(histories, begin_day, end_day)
    _, orders_before = spend_between(histories, begin_day - days, begin_day)
    _, orders_ever = spend_between(histories, 0, end_day)
    buys = orders > 0
    lapsed = _lapsed_on(histories, models, begin_day)
    nps = _answers(histories.touchpoints, "nps", begin_day, end_day)
    csat = _answers(histories.touchpoints, "csat", begin_day, end_day)
    return KpiSums(
        customers=int((orders_ever > 0).sum()),
        buyers=int(buys.sum()),
        repeat_buyers=int((buys & (orders_ever > 1)).sum()),
        orders=int(orders.sum()),
        spend=float(spent.sum()),
        bought_before=int((orders_before > 0).sum()),
        kept=int((buys & (orders_before > 0)).sum()),
        lapsed=int(lapsed.sum()),
        won_back=int((lapsed & buys).sum()),
        held_out_lapsed=int((lapsed & held_out).sum()),
        held_out_won_back=int((lapsed & held_out & buys).sum()),
        clv=_clv_on(histories, models, end_day),
        promoters=int((nps >= PROMOTER).sum()),
        detractors=int((nps <= DETRACTOR).sum()),
        nps_answers=len(nps),
        satisfied=int((csat >= SATISFIED).sum()),
        csat_answers=len(csat),
    )


def kpi_by_layer(
    histories: Histories, models: CustomerModels, held_out: Mask, end_day: int, days: int
) -> dict[str, KpiSums]:
    """The same by the layer each customer was in when the window began, `NEWCOMERS` for who had not ordered by then.

    The layer of today would say nothing of a rate: who was won back is not lapsed any more. Layers without anybody are
    left out; those there are come in the order of `recsvc.domain.layers.LAYERS` and add up to `kpi_sums`.
    """
    layer = _layer_on(histories, models, end_day - days)
    return {
        name: kpi_sums(take(histories, rows), models, held_out[rows], end_day, days)
        for place, name in enumerate((*LAYERS, NEWCOMERS))
        if len(rows := np.flatnonzero(layer == place))
    }


def _layer_on(histories: Histories, models: CustomerModels, day: int) -> Counts:
    """Layer of each customer when a day began, position in `LAYERS`; behind the last for who had not ordered yet."""
    past, known = records_before(histories, day)
    layer = np.full(len(histories), len(LAYERS), np.int64)
    if len(past):
        layer[known] = profiles(past, models, day).layer
    return layer


def _lapsed_on(histories: Histories, models: CustomerModels, day: int) -> Mask:
    """Who was lapsed or lost when a day began, as one would have known; shape (n_customers,)."""
    past, known = records_before(histories, day)
    lapsed = np.zeros(len(histories), bool)
    if len(past):
        states = lapse_states(models.lapse, models.thresholds, gaps(past), past.last_order_day(), day)
        lapsed[known] = states.is_in(*WIN_BACK_STATES)
    return lapsed


def _clv_on(histories: Histories, models: CustomerModels, day: int) -> float:
    past, _ = records_before(histories, day)
    economics = models.economics
    if not len(past):
        return 0.0
    worth = clv(models.value, rfm(past, day), economics.clv_horizon_days, economics.margin, economics.discount_rate)
    return float(worth.sum())


def _answers(touchpoints: Touchpoints, kind: str, from_day: int, to_day: int) -> Vector:
    """Answers of a kind from a day to before another."""
    is_of = touchpoints.kind == KINDS.index(kind)
    answers: Vector = touchpoints.value[is_of & (touchpoints.day >= from_day) & (touchpoints.day < to_day)]
    return answers


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
