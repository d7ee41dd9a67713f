"""Whether a new bundle may go live: never worse than showing people what they buy most often, never empty.

Nor may its recipe rank worse than those of the bundles that were live lately, nor its win-back list find less of the
spend to come than past spend would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsvc.bundle.manifest import Verdict
from training.backtest import PAIRED, Replay, Row
from training.metrics import Estimate, bootstrap
from training.recipes import Rival
from training.targeting import SHIPPED, TARGET_GROUPS, TargetingTable

MIN_RETURNERS = 30
TOLERANCE = 0.005  # NDCG@10 a recipe may lose to another before it is refused


@dataclass(frozen=True, slots=True)
class Comparison:
    """NDCG@10 of our ranking minus that of an earlier recipe, over the same customers at the same cut-offs."""

    rival: Rival
    n: int
    difference: Estimate

    @property
    def is_loss(self) -> bool:
        """Whether we are surely and noticeably worse."""
        return self.n >= MIN_RETURNERS and _is_loss(self.difference)

    def in_words(self) -> str:
        """One sentence, without its full stop."""
        found, changed = self.difference, ", ".join(self.rival.changed)
        return (
            f"NDCG@10 of the ranking minus that of the recipe of {self.rival.bundle_id} ({changed}): "
            f"{found.mean:+.4f} (95 % interval {found.low:+.4f} to {found.high:+.4f})"
        )


def compare(rival: Rival, ours: Replay, theirs: Replay) -> Comparison:
    """Compare two recipes customer by customer; both were asked about the same ones."""
    key = ("ranking", "all", PAIRED)
    values = ours.values[key] - theirs.values[key]
    (difference,) = bootstrap(values[:, None], ours.customer_ids)
    return Comparison(rival, len(values), difference)


def judge(
    rows: Sequence[Row],
    empty_share: float,
    targeting: TargetingTable | None = None,
    compared: Sequence[Comparison] = (),
    *,
    forced: bool,
) -> Verdict:
    """Verdict on a recipe from its back-test, and on the bundle from the share of customers it has nothing for."""
    losses = [one.in_words() for one in compared if one.is_loss]
    refusals = [*_against_baseline(rows), *losses, *_emptiness(empty_share), *_against_past_spend(targeting)]
    notes = [one.in_words() for one in compared if not one.is_loss]
    if _difference(rows) is None:
        notes.append(f"fewer than {MIN_RETURNERS} returners to test on: the recipe was not judged")
    return Verdict(passed=not refusals, forced=forced and bool(refusals), reasons=(*refusals, *notes))


def _is_loss(difference: Estimate) -> bool:
    return difference.high < 0 and difference.mean < -TOLERANCE


def _against_baseline(rows: Sequence[Row]) -> list[str]:
    difference = _difference(rows)
    if difference is None or not _is_loss(difference):
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
