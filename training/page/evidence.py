"""The pictures of the back-test: whom the list finds, whether P(return) is right, how good the recommendations are."""

from __future__ import annotations

from collections.abc import Iterator

from recsvc.domain.return_model import PAST_SPEND
from training.backtest import METHODS
from training.calibration import Calibration
from training.capture import CURVE_SHARES, SHARE
from training.metrics import Estimate
from training.page.charts import IntervalChart, Mark, Series, ShareChart, across, interval_chart, line, up
from training.report import TITLES as GROUP_TITLES
from training.report import Cells, tested_groups
from training.report_targeting import TITLES
from training.targeting import PERFECT, SHIPPED, CaptureRow, TargetingTable
from training.words import percent

GROUP = "personal_clock"  # the gate judges the list on it
LAPSED = "win_back_list"
NAMES = {SHIPPED: "this list", PAST_SPEND: "past spend", "rfm_score": "RFM score", PERFECT: "perfect knowledge"}
OURS = ("ranking", "slate")
LABELS = {
    "recent_popular": "recent popular",
    "als_alone": "ALS alone",
    "p_topfreq": "P-TopFreq",
    "ranking": "our ranking",
    "slate": "our slate",
}


def gains_chart(found: TargetingTable) -> ShareChart | None:
    """Share of the spend to come against share of the customers contacted."""
    curves = {one.ordering: one.captured for one in found.gains if one.group == GROUP}
    if not curves:
        return None
    says = "contacting {x} reaches {y} of the spend"
    lines = [
        line(NAMES[name], name.replace("_", "-"), list(zip(CURVE_SHARES, curves[name], strict=True)), says)
        for name in NAMES
        if name in curves
    ]
    lines.append(line("at random", "random", [(0.0, 0.0), (1.0, 1.0)], says))
    at = CURVE_SHARES.index(SHARE)
    reached = "; ".join(f"{NAMES[name]} {percent(curves[name][at])}" for name in NAMES if name in curves)
    return ShareChart(
        key="gains",
        title=f"Spend found by contacting the best first ({TITLES[GROUP]})",
        says=f"Share of the spend to come found by the top {percent(SHARE)}: {reached}; at random {percent(SHARE)}.",
        x_title="share of customers contacted",
        y_title="share of the spend to come",
        lines=tuple(lines),
    )


def calibration_charts(found: TargetingTable) -> Iterator[tuple[ShareChart, Calibration]]:
    """Predicted against actual, for everybody and for the win-back list."""
    for one in found.calibration:
        if one.group in ("all", LAPSED):
            yield _calibration_chart(one), one


def _calibration_chart(found: Calibration) -> ShareChart:
    marks = tuple(
        Mark(
            across(one.predicted),
            up(one.actual),
            f"{one.n:,} customers: {percent(one.predicted)} expected, {percent(one.actual)} returned "
            f"(95 % interval {percent(one.low)} to {percent(one.high)})",
            up(one.low),
            up(one.high),
        )
        for one in found.bins
    )
    ideal = line("as expected", "random", [(0.0, 0.0), (1.0, 1.0)], "{x} expected, {y} returned")
    return ShareChart(
        key=f"calibration-{found.group.replace('_', '-')}",
        title=f"P(return): {TITLES[found.group]}",
        says="; ".join(mark.says for mark in marks),
        x_title="expected to return",
        y_title="returned",
        lines=(ideal,),
        intervals=(Series("tenths of the customers, with 95 % intervals", "shipped", marks),),
    )


def ranking_charts(found: Cells) -> list[IntervalChart]:
    """NDCG@10 of every method, a picture for each group, all on one scale."""
    rows = {
        group: [(method, found[key]) for method in METHODS if (key := (group, method, "all", "ndcg@10")) in found]
        for group in tested_groups(found)
    }
    largest = max((row.estimate.high for some in rows.values() for _, row in some), default=0.0)
    charts = []
    for group, some in rows.items():
        values = [
            (LABELS.get(method, method.replace("_", " ")), *_ends(row.estimate), method in OURS) for method, row in some
        ]
        title = f"{GROUP_TITLES[group]} (n = {some[0][1].n:,})"
        charts.append(interval_chart(f"ranking-{group.replace('_', '-')}", title, "NDCG@10", values, largest))
    return charts


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.mean, estimate.low, estimate.high


def captured_by(found: TargetingTable, ordering: str) -> CaptureRow | None:
    """What the top of an ordering holds, among the late, lapsed and lost."""
    return next((row for row in found.rows if (row.group, row.ordering) == (GROUP, ordering)), None)
