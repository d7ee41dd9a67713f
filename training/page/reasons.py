"""Why customers leave: what they said, and what a model makes of those who said nothing.

Drawn when `report.json` holds `churn_reasons`:

    {"stated": {segment: {reason: customers}}, "estimated": {reason: share}, "explained": share}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from training.page.charts import IntervalChart, interval_chart
from training.page.words import percent
from training.sheets import Sheet

KEY = "churn_reasons"


@dataclass(frozen=True, slots=True)
class ChurnReasons:
    """Content of `churn_reasons`; `explained` is the share of departures the estimated reasons account for."""

    stated: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    estimated: Mapping[str, float] = field(default_factory=dict)
    explained: float | None = None


@dataclass(frozen=True, slots=True)
class ReasonsStory:
    """The section of the page; either part may be missing."""

    stated: Sheet | None
    estimated: IntervalChart | None
    explained: str


def reasons_story(report: Mapping[str, Any]) -> ReasonsStory | None:  # Any: JSON
    """The section, or None where training said nothing of reasons, or nothing this release understands."""
    try:
        found = TypeAdapter(ChurnReasons).validate_python(report.get(KEY))
    except ValidationError:
        return None
    explained = "" if found.explained is None else f"They explain {percent(found.explained)} of who left."
    return ReasonsStory(_stated(found.stated), _estimated(found.estimated), explained)


def _stated(stated: Mapping[str, Mapping[str, int]]) -> Sheet | None:
    totals: dict[str, int] = {}
    for reasons in stated.values():
        for reason, customers in reasons.items():
            totals[reason] = totals.get(reason, 0) + customers
    if not totals:
        return None
    segments = sorted(stated)
    order = sorted(totals, key=lambda reason: (-totals[reason], reason))
    rows = tuple(
        (reason, f"{totals[reason]:,}", *(f"{stated[segment].get(reason, 0):,}" for segment in segments))
        for reason in order
    )
    headings = ("reason", "customers", *(segment.replace("_", " ") for segment in segments))
    return Sheet("Reasons customers gave, by segment", headings, rows)


def _estimated(estimated: Mapping[str, float]) -> IntervalChart | None:
    if not estimated:
        return None
    order = sorted(estimated.items(), key=lambda pair: (-pair[1], pair[0]))
    values = [(reason, share, share, share, False) for reason, share in order]
    return interval_chart("reasons-estimated", "Estimated reasons", "share of who left", values, order[0][1])
