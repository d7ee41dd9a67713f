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
from training.page.layers import HIGH, URGENT, WIN_BACK, Layer, of
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
    n_listed : everybody on it
    n_urgent : of high value, lapsed or lost: where a campaign begins
    n_others : the others among its first fifth
    n_anyway : how many of those are likely to return unasked
    n_warned : everybody on the early-warning list, none of whom is on the win-back list
    """

    n_listed: int
    n_urgent: int
    n_others: int
    n_anyway: int
    n_warned: int


def list_facts(customers: pa.Table) -> ListFacts:
    """Count the win-back list of `customers.parquet`."""
    listed = customers.filter(pc.is_valid(customers["win_back_rank"])).sort_by("win_back_rank")
    n_first = min(max(round(SHARE * len(listed)), 1), len(listed))
    urgent = pc.is_in(listed["layer"], value_set=pa.array(URGENT))
    others = listed.slice(0, n_first).filter(pc.invert(urgent).slice(0, n_first))
    returns = others["probability_of_return"].to_numpy()
    warned = customers["early_warning_rank"] if "early_warning_rank" in customers.column_names else None
    return ListFacts(
        n_listed=len(listed),
        n_urgent=int(pc.sum(urgent).as_py() or 0),
        n_others=len(others),
        n_anyway=int((returns >= ANYWAY).sum()),
        n_warned=0 if warned is None else len(warned) - warned.null_count,
    )


def headline(outcome: Outcome, found: Sequence[Layer], facts: ListFacts, money: Money) -> Headline:
    """Put the most important things first."""
    manifest = outcome.manifest
    return Headline(
        figures=tuple(_figures(found, manifest, money)),
        first_steps=tuple(_first_steps(facts)),
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
        f"{lost:,}",
        "of high value, lapsed or lost, who may stay away",
        f"{parts}: silent beyond their own rhythm, and not sure to return",
    )
    since = f"since {manifest.window.first_order_on}, {percent(share)} of all sales to known customers"
    yield Figure(money(sum(one.spent for one in valuable)), "is what they spent so far", since)
    days, unasked = manifest.horizon_days, sum(one.expected for one in valuable)
    meaning = f"their usual spend, times the chance that they stay away; {money(unasked)} is expected anyway"
    yield Figure(money(sum(one.at_stake for one in valuable)), f"at stake in the next {days} days", meaning)


def _first_steps(facts: ListFacts) -> Iterator[str]:
    if not facts.n_listed:
        yield "Nobody is lapsed or lost: there is nobody to win back today."
    if facts.n_urgent:
        yield (
            f"Win back the {counted(facts.n_urgent, 'customer')} of high value who lapsed or are lost, most at stake "
            "first: the first table below. A personal message; your best offer for the lapsed."
        )
    if facts.n_others:
        who = "all" if facts.n_anyway == facts.n_others else f"{facts.n_anyway:,}"
        anyway = f", {who} of them at least {percent(ANYWAY)} likely to return unasked: no offer for these"
        yield (
            f"Remind the other {facts.n_others:,} among the first {percent(SHARE)} of the win-back list of "
            f"{facts.n_listed:,}{anyway if facts.n_anyway else ''}. They are worth most, not most in danger."
        )
    if facts.n_warned:
        yield (
            f"Ask the {counted(facts.n_warned, 'high-value customer')} of the early-warning list, late or ordering "
            "less than they used to and not on the other list, whether something went wrong; no discount yet."
        )
    yield HOLD_OUT


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
