"""Whether a new bundle may go live: never worse than showing people what they buy most often, never empty.

Nor may its win-back list find less of the spend to come than past spend would.
"""

from __future__ import annotations

from collections.abc import Sequence

from recsvc.bundle.manifest import Verdict
from training.backtest import Row
from training.metrics import Estimate
from training.targeting import SHIPPED, TARGET_GROUPS, TargetingTable

MIN_RETURNERS = 30
TOLERANCE = 0.005  # NDCG@10 a recipe may lose to the baseline before it is refused


def judge(rows: Sequence[Row], empty_share: float, targeting: TargetingTable | None = None, *, forced: bool) -> Verdict:
    """Verdict on a recipe from its back-test, and on the bundle from the share of customers it has nothing for."""
    refusals = [*_against_baseline(rows), *_emptiness(empty_share), *_against_past_spend(targeting)]
    notes = (
        () if _difference(rows) else (f"fewer than {MIN_RETURNERS} returners to test on: the recipe was not judged",)
    )
    return Verdict(passed=not refusals, forced=forced and bool(refusals), reasons=(*refusals, *notes))


def _against_baseline(rows: Sequence[Row]) -> list[str]:
    difference = _difference(rows)
    if difference is None or difference.high >= 0 or difference.mean >= -TOLERANCE:
        return []
    return [
        f"NDCG@10 of the ranking is {-difference.mean:.4f} below P-TopFreq "
        f"(95 % interval {difference.low:+.4f} to {difference.high:+.4f})"
    ]


def _against_past_spend(targeting: TargetingTable | None) -> list[str]:
    for row in () if targeting is None else targeting.rows:
        if (row.group, row.ordering) == (TARGET_GROUPS[0], SHIPPED) and row.over_past_spend.high < 0:
            low, high = row.over_past_spend.low, row.over_past_spend.high
            return [
                f"the win-back list captures {-row.over_past_spend.mean:.4f} less of the spend to come than past spend "
                f"(95 % interval {low:+.4f} to {high:+.4f})"
            ]
    return []


def _emptiness(empty_share: float) -> list[str]:
    return [f"{empty_share:.1%} of the customers would be shown nothing"] if empty_share > 0 else []


def _difference(rows: Sequence[Row]) -> Estimate | None:
    for row in rows:
        if (row.group, row.method, row.split) == ("all", "ranking - p_topfreq", "all") and row.n >= MIN_RETURNERS:
            return row.estimate
    return None
