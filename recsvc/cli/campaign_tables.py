"""Plans, campaigns and reports as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from math import isfinite

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from recsvc.bundle.reader import Bundle
from recsvc.campaigns.planning import HELD_OUT, Plan
from recsvc.campaigns.report import ArmRow, Report
from recsvc.domain.layers import LABELS, LAYERS
from recsvc.experiments.analysis import Difference
from recsvc.serving.uplift import read_learned, read_offer_lifts
from recsvc.store.campaigns import Launch

LEFT_OUT = {
    "personalisation_off": "want no personalisation",
    "held_out": "held out of every campaign",
    "is_back": "have ordered again since the training",
    "unsubscribed": "unsubscribed",
    "no_consent": "gave no consent for these channels, or none is on record",
    "cooling_off": "complained or returned something lately",
    "contact_cap": "have had their messages for now",
    "no_expected_profit": "no offer is expected to pay",
    "budget": "the budget ends before them",
}


def show_plan(plan: Plan, bundle: Bundle) -> None:
    """Whom a plan contacts with what, whom it leaves out, and what to expect."""
    console, expected, money = Console(), plan.expected, bundle.manifest.currency or ""
    console.print(_by_layer(plan))
    left_out = Table("left out", "customers")
    for reason, count in plan.left_out.items():
        left_out.add_row(LEFT_OUT.get(reason, reason), f"{count:,}")
    console.print(left_out)
    console.print(f"Contacted {expected.contacted:,}, held out to compare {expected.held_out:,}.")
    console.print(
        f"Expected: {expected.returns_anyway:,.1f} return anyway, {expected.extra_returns:,.1f} more because of it; "
        f"cost {expected.spend:,.2f} {money} (at most {expected.most_spend:,.2f}); "
        f"profit {expected.profit:,.2f} {money} ({expected.low:,.2f} to {expected.high:,.2f})."
    )
    console.print(f"A tenth more budget: {expected.extra_profit:+,.2f} {money} profit.")
    console.print(f"Smallest lift this size can show: {100 * expected.smallest_lift:.1f} points.")
    for sentence in _rests_on(plan, bundle):
        console.print(sentence)
    console.print("Nothing was stored or sent.")


def show_campaigns(found: Sequence[Launch], *, now: datetime, whole: bool) -> None:
    """Launched campaigns, the latest first; `whole` adds what was expected."""
    if not found:
        Console().print("no campaign was launched yet")
        return
    table = Table("campaign", "launched", "shown until", "state", "contacted", "held out")
    for one in found:
        expected = one.document["expected"]
        state = "closed" if one.closed_at else "active" if one.starts_at <= now < one.ends_at else "not shown now"
        launched = f"{one.launched_at:%Y-%m-%d %H:%M}"
        counts = (f"{expected['contacted']:,}", f"{expected['held_out']:,}")
        table.add_row(one.name, launched, f"{one.ends_at:%Y-%m-%d}", state, *counts)
    Console().print(table)
    if whole:
        Console().print_json(data=dict(found[0].document))


def show_report(launch: Launch, report: Report, currency: str | None) -> None:
    """What a campaign brought about."""
    console, money = Console(), currency or ""
    arms = Table("arm", "customers", "returned", "share", "spend each", "profit each")
    for name, arm in (("contacted", report.contacted), ("held out", report.held_out)):
        arms.add_row(name, *_figures(arm))
    console.print(arms)
    console.print(report.verdict)
    console.print(f"Lift: {_points(report.lift)}; for early looks {_points(report.lift_at_any_time)}.")
    console.print(f"Customers won: {_interval(report.incremental_customers, 1)}.")
    console.print(f"Profit it brought: {_interval(report.incremental_profit, 2)} {money}; cost {report.cost:,.2f}.")
    if report.cost_per_win_back is not None:
        console.print(f"Cost per customer won: {report.cost_per_win_back:,.2f} {money}.")
    if report.median_days_to_return is not None:
        again = f"{100 * report.second_order_share:.0f} % ordered again"
        console.print(f"Median days to return: {report.median_days_to_return:.0f}; {again}.")
    console.print(f"Offers used: {report.redeemed:,}.")
    claimed = f"{report.last_touch_customers:,} customers, {report.last_touch_profit:,.2f} {money}"
    console.print(f"Last-touch counting would claim {claimed}: it counts those who return anyway.")
    console.print(_parts(report))
    console.print(f"Campaign {launch.name}, bundle {launch.bundle_id}.", style="dim")


def _rests_on(plan: Plan, bundle: Bundle) -> Iterator[str]:
    """What the expectation of extra returns rests on: what lots have shown, else what the file states."""
    learned, measured = read_learned(bundle), read_offer_lifts(bundle)
    if learned is not None:
        yield f"{learned.in_words()}."
    for offer in plan.campaign.offers:
        found = measured.get(offer.name)
        if found is not None:
            seen = f"seen to be {found.lift:.3f} (standard error {found.error:.3f}) with {found.customers:,} customers"
            yield f"Lift of {offer.name}: {offer.lift:.3f}, the file's drawn towards what lots have shown, {seen}."
    if learned is None and not any(offer.name in measured for offer in plan.campaign.offers):
        yield "The response curve is what the file states, not what was measured."


def _by_layer(plan: Plan) -> Table:
    table = Table("layer", "offer", "contacted", "held out")
    layer = plan.candidates.layer[plan.rows]
    for place, name in enumerate(LAYERS):
        for offer, one in enumerate(plan.campaign.offers):
            mine = (layer == place) & (plan.offer == offer)
            if mine.any():
                held_out = int(np.sum(mine & (plan.arm == HELD_OUT)))
                table.add_row(LABELS[name], one.name, f"{int(mine.sum()) - held_out:,}", f"{held_out:,}")
    return table


def _parts(report: Report) -> Table:
    """Contacted against held out, by layer, offer and channel, in eighty columns."""
    table = Table(box=SIMPLE, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for heading in ("contacted", "held out", "lift, points"):
        table.add_column(heading, justify="right")
    for by, parts in groupby(report.parts, key=lambda part: part.by):
        table.add_section()
        for place, part in enumerate(parts):
            label = part.label if place or by == "layer" else f"{by} {part.label}"
            control = "" if part.held_out is None else _returned(part.held_out)
            table.add_row(label, _returned(part.contacted), control, _lift(part.lift))
    return table


def _returned(arm: ArmRow) -> str:
    return f"{_share(arm)} of {arm.customers:,}" if arm.customers else "nobody"


def _lift(found: Difference | None) -> str:
    if found is None or not isfinite(found.low):
        return ""
    return f"{100 * found.value:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"


def _figures(arm: ArmRow) -> tuple[str, ...]:
    return (f"{arm.customers:,}", f"{arm.returned:,}", _share(arm), f"{arm.spend:,.2f}", f"{arm.profit:,.2f}")


def _share(arm: ArmRow) -> str:
    return f"{100 * arm.share:.1f} %"


def _points(found: Difference) -> str:
    return f"{100 * found.value:+.1f} points ({100 * found.low:+.1f} to {100 * found.high:+.1f})"


def _interval(found: Difference, digits: int) -> str:
    if not isfinite(found.low):
        return f"{found.value:+,.{digits}f} (too few returned to say how sure that is)"
    return f"{found.value:+,.{digits}f} ({found.low:+,.{digits}f} to {found.high:+,.{digits}f})"
