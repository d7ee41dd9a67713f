"""The first screen: how many, how much is at stake, what to do first, and how far to trust it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from recsvc.bundle.manifest import Manifest
from recsvc.domain.return_model import PAST_SPEND
from training.calibration import in_words
from training.capture import SHARE
from training.page.evidence import GROUP, LAPSED, captured_by
from training.page.layers import HIGH, WARN, WIN_BACK, Layer, of
from training.page.people import ANYWAY
from training.pipeline import Outcome
from training.report_targeting import TITLES
from training.targeting import PERFECT, SHIPPED, TargetingTable
from training.words import Money, counted, percent

NOT_CAUSAL = (
    "Not causal until randomised contacts exist. The list says who is worth most, not whom a message changes: people "
    "who would return by themselves look best here. Leave a random tenth uncontacted, and a later training can tell "
    "the two apart."
)
HOLD_OUT = "Leave a random tenth of each group uncontacted and note who: only that shows what a contact changes."


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the first screen, what it counts, and a note."""

    number: str
    meaning: str
    note: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The first screen; sentences have their full stops."""

    figures: tuple[Figure, ...]
    first_steps: tuple[str, ...]
    trust: tuple[str, ...]
    warning: str = NOT_CAUSAL


@dataclass(frozen=True, slots=True)
class ListFacts:
    """The win-back list in numbers.

    Attributes
    ----------
    n_first : how many are to be contacted first
    n_anyway : how many of those are likely to return unasked
    """

    n_listed: int
    n_first: int
    n_anyway: int

    @property
    def mostly_anyway(self) -> bool:
        """Whether the first are mostly people who return unasked, so that the others deserve a list of their own."""
        return 2 * self.n_anyway > self.n_first


def list_facts(customers: pa.Table) -> ListFacts:
    """Count the win-back list of `customers.parquet`."""
    listed = customers.filter(pc.is_valid(customers["win_back_rank"])).sort_by("win_back_rank")
    n_first = min(max(round(SHARE * len(listed)), 1), len(listed))
    returns = listed["probability_of_return"].slice(0, n_first).to_numpy()
    return ListFacts(len(listed), n_first, int((returns >= ANYWAY).sum()))


def headline(outcome: Outcome, found: Sequence[Layer], facts: ListFacts, money: Money) -> Headline:
    """Put the most important things first."""
    manifest = outcome.manifest
    return Headline(
        figures=tuple(_figures(found, manifest, money)),
        first_steps=tuple(_first_steps(found, facts, money)),
        trust=(
            _verdict(manifest, published=outcome.published),
            *_captured(outcome.targeting),
            *_calibrated(outcome.targeting),
            *([f"{outcome.drift.in_short()}."] if outcome.drift.bundle_id else []),
        ),
    )


def _figures(found: Sequence[Layer], manifest: Manifest, money: Money) -> Iterator[Figure]:
    valuable = of(found, HIGH, *WIN_BACK)
    lost, everybody = sum(one.customers for one in valuable), sum(one.customers for one in found)
    share = sum(one.share for one in valuable)
    window = f"customers who bought between {manifest.window.first_order_on} and {manifest.window.last_order_on}"
    yield Figure(f"{everybody:,}", "customers", window)
    parts = " and ".join(f"{one.customers:,} {one.risk}" for one in valuable)
    yield Figure(
        f"{lost:,}", "of high value, lapsed or lost, who may stay away", f"{parts}, by their own rhythm of buying"
    )
    yield Figure(
        money(sum(one.spent for one in valuable)), "is what they spent so far", f"{percent(share)} of all sales"
    )
    days, unasked = manifest.horizon_days, sum(one.expected for one in valuable)
    meaning = f"their usual spend, times the chance that they stay away; {money(unasked)} is expected anyway"
    yield Figure(money(sum(one.at_stake for one in valuable)), f"at stake in the next {days} days", meaning)


def _first_steps(found: Sequence[Layer], facts: ListFacts, money: Money) -> Iterator[str]:
    slipping = of(found, HIGH, WARN)[0]
    if not facts.n_listed:
        yield "Nobody is lapsed or lost: there is nobody to win back today."
    else:
        share = f"{percent(SHARE)} of its {facts.n_listed:,}"
        yield f"Contact the first {facts.n_first:,} of the win-back list ({share}); the top ten are below."
    if facts.n_anyway:
        rest = "keep offers for those who may stay away, the second list below" if facts.mostly_anyway else "no offer"
        yield f"{_anyway(facts)} at least {percent(ANYWAY)} likely to return unasked: remind them; {rest}."
    if slipping.customers:
        yield (
            f"Remind the {counted(slipping.customers, 'high-value customer')} who are slipping, late or ordering less "
            f"than they used to ({money(slipping.spent)} so far), without a discount."
        )
    yield HOLD_OUT


def _anyway(facts: ListFacts) -> str:
    if facts.n_anyway == facts.n_first:
        return "All of them are"
    return f"Of these, {counted(facts.n_anyway, 'is', 'are')}"


def _verdict(manifest: Manifest, *, published: bool) -> str:
    verdict = manifest.verdict
    reasons = "; ".join(verdict.reasons)
    if verdict.forced:
        return f"The gate refused this bundle and was overruled: {reasons}."
    if not verdict.passed:
        return f"The gate refused this bundle, and it is not live: {reasons}."
    live = "is live" if published else "was kept, not made live"
    return f"The gate let this bundle pass, and it {live}{f' ({reasons})' if reasons else ''}."


def _captured(found: TargetingTable | None) -> Iterator[str]:
    ours = None if found is None else captured_by(found, SHIPPED)
    if found is None or ours is None:
        yield "There is too little history to test the list on the past."
        return
    others = ((PAST_SPEND, "by past spend"), (PERFECT, "with perfect knowledge"))
    known = ((captured_by(found, name), words) for name, words in others)
    beside = ", ".join(f"{percent(row.estimate.mean)} {words}" for row, words in known if row is not None)
    ends = f"{percent(ours.estimate.low)} to {percent(ours.estimate.high)}"
    yield (
        f"Tested on the past: of what customers who were {TITLES[GROUP]} then spent, the top {percent(SHARE)} of the "
        f"list held {percent(ours.estimate.mean)} ({ends}); {beside}."
    )


def _calibrated(found: TargetingTable | None) -> Iterator[str]:
    for one in () if found is None else found.calibration:
        if one.group == LAPSED:
            yield f"Of the {TITLES[LAPSED]}, {in_words(one)}."
