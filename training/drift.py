"""What moved since the last training, in words: sizes, what is bought, prices, customers.

Compares what the live bundle remembers of the horizon before its `as_of` with the horizon before the new one. Nothing
here reads a file: `drift_history` finds the bundles, `drift_statistics` counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from training.drift_maths import (
    MOVED,
    MOVED_A_LOT,
    contributions,
    counts_between,
    index_by_chance,
    price_index,
    stability_index,
)
from training.drift_statistics import OTHER, DriftStatistics, Snapshot, Volumes
from training.words import percent

Verdict = Literal["steady", "moved", "moved a lot"]
STEADY: Verdict = "steady"
CHANGE, LARGE_CHANGE = 0.2, 0.5  # of a size, relative
PRICE_CHANGE, LARGE_PRICE_CHANGE = 0.03, 0.1
POINTS, MANY_POINTS = 0.05, 0.15  # of a share
LOST_IDS, MANY_LOST_IDS = 0.01, 0.1  # of customers who vanished from the data
STANDARD_ERRORS = 2.6  # a change of size within these may be chance
MAX_CATEGORIES = 20
NAMED = 3  # categories, or bins, that a sentence names
SIZES = {"customers": "customers who ordered", "orders": "orders", "lines": "order lines", "amount": "sales"}
FEATURES = {
    "orders": "orders per customer",
    "spend": "spend per customer",
    "spend_per_order": "spend per order",
    "days_since_last_purchase": "days since the last order",
    "probability_of_return": "P(return)",
}


@dataclass(frozen=True, slots=True)
class Movement:
    """One thing that was compared.

    Attributes
    ----------
    measure : what `value` is: `PSI`, or `change` as a share of before (of points, for shares)
    words : a sentence without its full stop
    """

    what: str
    verdict: Verdict
    measure: Literal["PSI", "change"]
    value: float
    words: str


def movements(before: DriftStatistics, now: Snapshot, missing: float) -> list[Movement]:
    """Everything that can be compared, moved or not.

    Parameters
    ----------
    missing : in [0, 1]
        Share of the customers before who are in the data no more.
    """
    found = [_missing(missing), _states(before, now), *_features(before, now)]
    if before.horizon_days == now.horizon_days:
        found += [*_sizes(before.volumes, now.volumes), _unknown(before.volumes, now.volumes)]
    return [*found, *_mix(before, now), *_prices(before, now)]


def _sizes(before: Volumes, now: Volumes) -> Iterator[Movement]:
    noise = STANDARD_ERRORS * np.sqrt(1 / max(before.customers, 1) + 1 / max(now.customers, 1))
    for name, what in SIZES.items():
        was, is_now = getattr(before, name), getattr(now, name)
        change = is_now / was - 1 if was > 0 else 0.0
        by_chance = was > 0 and is_now > 0 and abs(np.log(is_now / was)) < noise
        verdict = STEADY if by_chance else _judged(abs(change), CHANGE, LARGE_CHANGE)
        scale = 100 if name == "amount" else 1
        words = f"{what}: {was / scale:,.0f} before, {is_now / scale:,.0f} now ({100 * change:+.0f} %)"
        yield Movement(what, verdict, "change", change, words)


def _unknown(before: Volumes, now: Volumes) -> Movement:
    was, is_now = (one.unknown_lines / max(one.lines, 1) for one in (before, now))
    words = f"lines without a customer: {percent(was)} before, {percent(is_now)} now"
    verdict = _judged(abs(is_now - was), POINTS, MANY_POINTS)
    return Movement("lines without a customer", verdict, "change", is_now - was, words)


def _missing(share: float) -> Movement:
    words = f"{percent(share)} of the customers of the last training are in the data no more"
    return Movement("customers who vanished", _judged(share, LOST_IDS, MANY_LOST_IDS), "change", share, words)


def _mix(before: DriftStatistics, now: Snapshot) -> Iterator[Movement]:
    if not (before.categories and now.categories):
        return
    named = sorted({*before.categories} - {OTHER}, key=lambda name: (-before.categories[name], name))
    largest = named[:MAX_CATEGORIES]
    sizes = before.volumes.customers, now.volumes.customers  # lines of one basket are no independent answers
    was, is_now = (_folded(one, largest) for one in (before.categories, now.categories))
    yield _shifted("what is bought, by category", [*largest, OTHER], was, is_now, sizes)


def _states(before: DriftStatistics, now: Snapshot) -> Movement:
    names = sorted({*before.states, *now.states})
    was, is_now = ([states.get(name, 0) for name in names] for states in (before.states, now.states))
    return _shifted("customers by state", names, was, is_now)


def _features(before: DriftStatistics, now: Snapshot) -> Iterator[Movement]:
    for name, what in FEATURES.items():
        if name not in before.features or name not in now.features:
            continue
        known = before.features[name]
        counts = counts_between(known.edges, now.features[name])
        yield _shifted(what, _bin_names(known.edges), known.counts, counts)


def _prices(before: DriftStatistics, now: Snapshot) -> Iterator[Movement]:
    index = price_index(before.prices, now.prices)
    if index is not None:
        verdict = _judged(abs(index - 1), PRICE_CHANGE, LARGE_PRICE_CHANGE)
        words = f"prices of the same products: {100 * (index - 1):+.1f} %"
        yield Movement("prices of the same products", verdict, "change", index - 1, words)


def _shifted(
    what: str,
    names: Sequence[str],
    before: Sequence[int],
    now: Sequence[int],
    sizes: tuple[int, int] | None = None,
) -> Movement:
    """Judge a shift of shares, naming what contributed most to it; `sizes` are customers where counts are not."""
    index = stability_index(before, now)
    by_chance = index <= index_by_chance(len(names), *(sizes or (sum(before), sum(now))))
    verdict = STEADY if by_chance else _judged(index, MOVED, MOVED_A_LOT)
    most = np.argsort(-contributions(before, now), kind="stable")[:NAMED]
    was, is_now = (np.asarray(counts, np.float64) / max(sum(counts), 1) for counts in (before, now))
    shown = "; ".join(f"{names[one]}: {percent(was[one])} before, {percent(is_now[one])} now" for one in most)
    return Movement(what, verdict, "PSI", index, f"{what} ({shown})")


def _folded(categories: Mapping[str, int], largest: Sequence[str]) -> list[int]:
    """Lines of the named categories, and of all others."""
    named = [categories.get(name, 0) for name in largest]
    return [*named, sum(categories.values()) - sum(named)]


def _bin_names(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["all"]
    between = [f"{low:,.4g} to {high:,.4g}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]:,.4g}", *between, f"above {edges[-1]:,.4g}"]


def _judged(size: float, moved: float, a_lot: float) -> Verdict:
    if size < moved:
        return STEADY
    return "moved" if size < a_lot else "moved a lot"
