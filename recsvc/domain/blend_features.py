"""The blend's features: a few columns about every candidate, from `Signals`."""

from __future__ import annotations

import numpy as np

from recsvc.domain.arrays import Mask, Vector
from recsvc.domain.feature import Feature
from recsvc.domain.signals import Signals

NO_AFFINITY = 1e-3  # floor of the logarithm: below it ALS says nothing


def _days_ordered_without(facts: Signals) -> Vector:
    return np.where(facts.bought, np.maximum(facts.days_since_item - facts.days_since_order, 0), 0)


def _flag(mask: Mask) -> Vector:
    return mask.astype(np.float64)


def _gaps_passed(facts: Signals) -> Vector:
    known = facts.order_days > 1
    return np.where(known, facts.days_since_item / np.maximum(facts.typical_gap_days, 1), 0)


BLEND_FEATURES: tuple[Feature[Signals], ...] = (
    Feature("order_days", "log(1 + order-days with the item)", lambda s: np.log1p(s.order_days)),
    Feature("order_share", "share of the customer's orders that held the item", lambda s: s.order_share),
    Feature("decayed_order_days", "log(1 + decayed order-days)", lambda s: np.log1p(s.decayed_order_days)),
    Feature(
        "decayed_share",
        "root of the item's part in the customer's decayed purchases",
        lambda s: np.sqrt(s.decayed_share),
    ),
    Feature("bought", "1 when ever bought", lambda s: _flag(s.bought)),
    Feature("left_out", "log(1 + days ordered on without it)", lambda s: np.log1p(_days_ordered_without(s))),
    Feature(
        "in_last_order",
        "1 when the last order held it",
        lambda s: _flag(s.bought & (_days_ordered_without(s) == 0)),
    ),
    Feature("due", "log(1 + days since it / its usual gap here)", lambda s: np.log1p(_gaps_passed(s))),
    Feature("affinity", "log of ALS affinity", lambda s: np.log(np.maximum(s.affinity, NO_AFFINITY))),
    Feature("affinity_new", "ALS affinity to an item never bought", lambda s: np.where(s.bought, 0.0, s.affinity)),
    Feature("affinity_trend", "root of affinity x trend", lambda s: np.sqrt(np.maximum(s.affinity, 0) * s.trend)),
    Feature("recent_share", "log share of customers who bought it lately", lambda s: np.log(s.recent_share)),
    Feature(
        "recent_share_own",
        "the same, for an item bought before",
        lambda s: np.where(s.bought, np.log(s.recent_share), 0.0),
    ),
    Feature("buyer_share", "log share of customers who ever bought it", lambda s: np.log(s.buyer_share)),
    Feature("trend", "log of recent over all buyers", lambda s: np.log(s.trend)),
    Feature(
        "repeat_share_own",
        "its buyers who came back for it, when bought",
        lambda s: np.where(s.bought, s.repeat_share, 0.0),
    ),
)
