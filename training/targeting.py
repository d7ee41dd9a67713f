"""Whom the win-back list puts first, judged on what lapsed customers then spent; and how calibrated P(return) is.

Share of their spend within the horizon that the top 20 % of an ordering hold, at cut-offs pooled, beside what perfect
knowledge would hold. Not causal: people who return by themselves look best here. Every value is out of time: the models
are those of a replay, which saw nothing from its cut-off on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np

from recsvc.domain.arrays import AnyArray, Mask, Vector
from recsvc.domain.history import Histories
from recsvc.domain.profiles import CustomerModels, Profiles, profiles
from recsvc.domain.return_model import BTYD, LEARNED, PAST_SPEND
from recsvc.domain.rfm import MINOR_UNITS
from training.calibration import Calibration, calibration
from training.capture import CURVE_SHARES, Ranked, capture, capture_samples, gains, interval
from training.metrics import Estimate
from training.orderings import rfm_score
from training.past_windows import TARGETED
from training.split import MAX_TESTED
from training.trainer import Trainer

CAVEAT = "not causal: people who return by themselves look best here"
FIXED_DAYS = 90
SHIPPED, PERFECT = "shipped", "perfect_knowledge"
ORDERED_BY = ("probability_alive", "recency", "rfm_score", PAST_SPEND, BTYD, LEARNED)
METHODS = (*ORDERED_BY, SHIPPED, PERFECT)
CURVES = (SHIPPED, PAST_SPEND, "rfm_score", PERFECT)
TARGET_GROUPS = ("personal_clock", "personal_clock_high_value", "win_back_list", "silent_90_days")


@dataclass(frozen=True, slots=True)
class TargetingReplay:
    """Customers of one cut-off, ranked by everything, with what they then did.

    Attributes
    ----------
    groups : masks over the customers; on the personal clock, *lapsed* is late, lapsed or lost
    figures : columns that orderings and calibration need, each of shape (n_customers,)
    value : shape (n_customers,), currency units within the horizon
    returned : shape (n_customers,), whether they ordered within it
    shipped : name of the ordering chosen at this cut-off
    """

    groups: Mapping[str, Mask]
    figures: Mapping[str, Vector]
    customer_ids: tuple[str, ...]
    value: Vector
    returned: Mask
    shipped: str


@dataclass(frozen=True, slots=True)
class CaptureRow:
    """One line of the table: share captured, with paired differences.

    Attributes
    ----------
    over_past_spend : what it captures more than past spend
    shipped_over : what the shipped ordering captures more than this one
    """

    group: str
    ordering: str
    n: int
    estimate: Estimate
    over_past_spend: Estimate
    shipped_over: Estimate


@dataclass(frozen=True, slots=True)
class GainsCurve:
    """Share of the spend to come that the best customers of an ordering hold, at each of `capture.CURVE_SHARES`."""

    group: str
    ordering: str
    captured: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TargetingTable:
    """Everything the report says about targeting."""

    rows: tuple[CaptureRow, ...]
    calibration: tuple[Calibration, ...]
    shipped: tuple[str, ...]
    gains: tuple[GainsCurve, ...] = ()

    def to_json(self) -> dict[str, Any]:  # JSON
        """Plain values by name, with the caveat that belongs to them."""
        return {"caveat": CAVEAT, "shares": CURVE_SHARES, **asdict(self)}


def replay_targeting(trainer: Trainer, day: int) -> TargetingReplay:
    """Judge at a past day, by the bundle of that day, a bounded sample of the customers it knows."""
    _, recommender = trainer.replay(day)
    bundle, spent = recommender.bundle, trainer.spend_after(day)
    batches = list(islice(bundle.customers.batches(1000), MAX_TESTED // 1000))
    parts = [_figures(batch, bundle.models, day) for batch in batches]
    figures = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    figures["rfm_score"] = rfm_score(-figures["recency"], figures["orders"], figures[PAST_SPEND])
    ids = tuple(one for batch in batches for one in batch.customer_ids)
    return TargetingReplay(
        groups={name: figures.pop(name).astype(bool) for name in TARGET_GROUPS},
        figures=figures,
        customer_ids=ids,
        value=np.array([spent.get(one, 0.0) for one in ids]),
        returned=np.array([one in spent for one in ids], bool),
        shipped=bundle.models.targeting.ordering,
    )


def targeting_table(replays: Sequence[TargetingReplay]) -> TargetingTable:
    """Capture of every ordering in every group, pooled over the cut-offs; calibration of the shipped P(return)."""
    rows, curves = [], []
    for group in TARGET_GROUPS:
        some = [ranked for one in replays if len((ranked := ranked_group(one, group)).value)]
        if any(one.value.sum() > 0 for one in some):
            rows += _rows(group, some)
            curves += [GainsCurve(group, name, gains(some, name)) for name in CURVES]
    shipped = tuple(one.shipped for one in replays)
    return TargetingTable(tuple(rows), tuple(_calibrations(replays)), shipped, tuple(curves))


def ranked_group(found: TargetingReplay, group: str) -> Ranked:
    """Scores of the customers of one group by every ordering."""
    members = found.groups[group]
    scores = {name: found.figures[name][members] for name in ORDERED_BY if name in found.figures}
    value = found.value[members]
    ids = tuple(found.customer_ids[position] for position in np.flatnonzero(members))
    return Ranked(ids, {**scores, SHIPPED: scores[found.shipped], PERFECT: value}, value)


def _rows(group: str, some: list[Ranked]) -> list[CaptureRow]:
    names = [name for name in METHODS if all(name in one.scores for one in some)]
    means, samples = {name: capture(some, name) for name in names}, capture_samples(some, names)
    return [
        CaptureRow(
            group,
            name,
            sum(len(one.value) for one in some),
            interval(means[name], samples[name]),
            interval(means[name] - means[PAST_SPEND], samples[name] - samples[PAST_SPEND]),
            interval(means[SHIPPED] - means[name], samples[SHIPPED] - samples[name]),
        )
        for name in names
    ]


def _calibrations(replays: Sequence[TargetingReplay]) -> list[Calibration]:
    predicted = np.concatenate([one.figures["probability_of_return"] for one in replays])
    returned = np.concatenate([one.returned for one in replays])
    whose = np.unique([customer_id for one in replays for customer_id in one.customer_ids], return_inverse=True)[1]
    groups = {"all": np.ones(len(returned), bool)}
    groups |= {group: np.concatenate([one.groups[group] for one in replays]) for group in TARGET_GROUPS}
    return [calibration(name, predicted[who], returned[who], whose[who]) for name, who in groups.items() if who.any()]


def _figures(histories: Histories, models: CustomerModels, day: int) -> dict[str, AnyArray]:
    """Columns of a batch: what orderings need, the groups, and P(return) as shipped."""
    shown = profiles(histories, models, day)
    spend, silence = shown.spend / MINOR_UNITS, shown.days_since_last_purchase.astype(np.float64)
    columns = {
        "probability_alive": shown.probability_alive,
        "probability_of_return": shown.probability_of_return,
        "recency": -silence,
        "orders": shown.orders.astype(np.float64),
        PAST_SPEND: spend,
        BTYD: shown.expected_purchases * shown.expected_average_value,
        **_groups(shown, silence),
    }
    if models.targeting.returns is None:
        return columns
    return {**columns, LEARNED: shown.expected_value_of_contact}


def _groups(shown: Profiles, silence: Vector) -> dict[str, Mask]:
    late = shown.lapse.is_in(*TARGETED)
    members = (late, late & shown.high_value, shown.to_win_back(), silence > FIXED_DAYS)
    return dict(zip(TARGET_GROUPS, members, strict=True))
