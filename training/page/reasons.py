"""Why customers leave: what they said, and what the record suggests of those who said nothing.

Drawn when `report.json` holds `churn_reasons`; what of it this page does not know is passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from training.page.charts import IntervalChart, interval_chart
from training.sheets import Sheet
from training.words import percent

KEY: Final = "churn_reasons"
ANY: Final = "any"
SAYS: Final = {
    "complaint": "complaint or return",
    "favourite_gone": "favourite gone",
    "price_rise": "prices rose",
    "category_faded": "category faded",
    "not_explained": "not explained",
}


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """Customers of a segment with a reason."""

    segment: str
    reason: str
    customers: int


@dataclass(frozen=True, slots=True)
class Explained:
    """How much more often a reason applies to those who left than to comparable others, with its 95 % interval."""

    reason: str
    excess: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ChurnReasons:
    """The part of `churn_reasons` that is shown."""

    stated: tuple[ReasonCount, ...] = ()
    estimated: tuple[ReasonCount, ...] = ()
    explained: tuple[Explained, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReasonsStory:
    """The section of the page; any part may be missing."""

    stated: Sheet | None
    estimated: Sheet | None
    explained: IntervalChart | None
    in_words: str
    note: str


def reasons_story(report: Mapping[str, Any]) -> ReasonsStory | None:  # Any: JSON
    """The section, or None where training said nothing of reasons, or nothing this release understands."""
    try:
        found = TypeAdapter(ChurnReasons).validate_python(report.get(KEY))
    except ValidationError:
        return None
    return ReasonsStory(
        _counts("Reasons customers gave, by segment", found.stated),
        _counts("Likely reasons of those who gave none, by segment", found.estimated),
        _chart(found.explained),
        _in_words(found.explained),
        found.note,
    )


def _counts(title: str, found: tuple[ReasonCount, ...]) -> Sheet | None:
    if not found:
        return None
    cells, totals = {(one.segment, one.reason): one.customers for one in found}, Counter[str]()
    for one in found:
        totals[one.reason] += one.customers
    segments = sorted({one.segment for one in found})
    rows = [
        (named(reason), f"{total:,}", *(f"{cells.get((segment, reason), 0):,}" for segment in segments))
        for reason, total in sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    return Sheet(title, ("reason", "customers", *(segment.replace("_", " ") for segment in segments)), tuple(rows))


def _chart(found: tuple[Explained, ...]) -> IntervalChart | None:
    """Excess of each reason; what lies below 0 explains nothing and is drawn at 0."""
    shown = [one for one in found if one.reason != ANY]
    if not shown:
        return None
    rows = [
        (named(one.reason), max(one.excess, 0.0), max(one.low, 0.0), max(one.high, 0.0), one.low > 0) for one in shown
    ]
    largest = max(high for _, _, _, high, _ in rows)
    return interval_chart("reasons", "How much each explains", "share of who left, beyond chance", rows, largest)


def _in_words(found: tuple[Explained, ...]) -> str:
    together = next((one for one in found if one.reason == ANY), None)
    if together is None:
        return ""
    if together.low <= 0:
        return "Together they explain nothing beyond chance."
    ends = f"{percent(together.low)} to {percent(together.high)}"
    return f"Together they explain {percent(together.excess)} of who left ({ends})."


def named(reason: str) -> str:
    """Write a reason for people."""
    return SAYS.get(reason, reason.replace("_", " "))
