"""A campaign's report as one page that opens by itself: nothing is fetched, everything from the data is escaped."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from jinja2 import Environment, PackageLoader, StrictUndefined

from recsvc.campaigns.outcomes import Window
from recsvc.campaigns.report import Part, Report
from recsvc.experiments.analysis import Difference
from recsvc.serving.customer_state import moment_of
from recsvc.store.campaigns import Launch

LEFT, RIGHT, TOP, ROW = 240, 630, 16, 24
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Bar:
    """A difference with its interval, in the picture's units."""

    label: str
    says: str
    y: int
    x: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Differences below each other around 0."""

    height: int
    zero: float
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]


def render(launch: Launch, report: Report, window: Window, currency: str | None) -> str:
    """Page of a report, as HTML."""
    loader = PackageLoader("recsvc", "campaigns")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("report.html.j2").render(
        launch=launch,
        report=report,
        currency=currency or "",
        first=moment_of(window.first).date(),
        last=moment_of(max(window.end - 1, window.first)).date(),
        figures=_figures(report, currency or ""),
        chart=lift_chart(report),
        points=points,
    )


def points(found: Difference) -> str:
    """Difference of shares in points, with its interval.

    Examples
    --------
    >>> points(Difference(0.031, -0.01, 0.072))
    '+3.1 (-1.0 to +7.2)'
    """
    return f"{100 * found.value:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"


def lift_chart(report: Report) -> Chart:
    """Lift of everybody, and of each part that can be compared."""
    named = [("everybody", report.lift), *((_label(part), part.lift) for part in report.parts if part.lift)]
    shown = [(label, found) for label, found in named if found is not None and isfinite(found.low)]
    ends = [abs(end) for _, found in shown for end in (found.low, found.high)]
    span = next(step for step in STEPS if step >= min(max(ends, default=0.01), 1.0))

    def across(value: float) -> float:
        return round(LEFT + (min(max(value, -span), span) + span) / (2 * span) * (RIGHT - LEFT), 1)

    bars = tuple(
        Bar(label, f"{label}: {points(found)}", TOP + ROW * row, *(across(getattr(found, end)) for end in ENDS))
        for row, (label, found) in enumerate(shown)
    )
    ticks = tuple((across(at), f"{100 * at:+g}") for at in (-span, -span / 2, 0.0, span / 2, span))
    return Chart(TOP + ROW * len(bars) + 24, across(0.0), bars, ticks)


ENDS = ("value", "low", "high")


def _label(part: Part) -> str:
    return f"{part.by}: {part.label}"


def _figures(report: Report, currency: str) -> list[tuple[str, str]]:
    """Numbers of the first screen, and what each counts."""
    won, profit = report.incremental_customers, report.incremental_profit
    found = [
        (f"{won.value:+,.0f}", f"customers won, {won.low:+,.0f} to {won.high:+,.0f}"),
        (f"{profit.value:+,.0f} {currency}".strip(), f"profit it brought{_between(profit)}, costs taken off"),
        (f"{report.cost:,.0f} {currency}".strip(), "cost of offers and contacts"),
    ]
    if report.cost_per_win_back is not None:
        found.append((f"{report.cost_per_win_back:,.2f} {currency}".strip(), "cost of a customer won"))
    if report.median_days_to_return is not None:
        found.append((f"{report.median_days_to_return:.0f}", "days until half of the returned were back"))
        found.append((f"{100 * report.second_order_share:.0f} %", "of the returned ordered again"))
    return found


def _between(found: Difference) -> str:
    return f", {found.low:+,.0f} to {found.high:+,.0f}" if isfinite(found.low) else ", too few returned to say how sure"
