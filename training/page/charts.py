"""Where the marks of a picture go; the template draws them as SVG, so a page needs no script and no network.

Coordinates are those of a drawing `WIDTH` wide, about as wide as a phone, so that text stays readable there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from training.words import percent

WIDTH, HEIGHT = 360, 300
LEFT, RIGHT, TOP, BOTTOM = 44, 22, 10, 40
ROW, LABEL = 26, 104
TICKS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
MAX_TICKS = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """One value: where it is drawn, and what it says when pointed at."""

    x: float
    y: float
    says: str
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True)
class Series:
    """Marks that belong together; `style` is a class of the style sheet."""

    name: str
    style: str
    marks: tuple[Mark, ...]

    @property
    def path(self) -> str:
        """The marks joined, as SVG has it."""
        return " ".join(f"{mark.x:.1f},{mark.y:.1f}" for mark in self.marks)


@dataclass(frozen=True, slots=True)
class ShareChart:
    """Shares against shares, both axes from 0 to 100 %; `says` is the picture in words, for who cannot see it."""

    key: str
    title: str
    says: str
    x_title: str
    y_title: str
    lines: tuple[Series, ...] = ()
    intervals: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of an interval chart."""

    label: str
    y: float
    mark: Mark
    is_ours: bool


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """Estimates with their intervals, one below the other."""

    key: str
    title: str
    says: str
    x_title: str
    height: float
    ticks: tuple[tuple[float, str], ...]
    bars: tuple[Bar, ...]


def across(share: float) -> float:
    """Horizontal position of a share."""
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def up(share: float) -> float:
    """Vertical position of a share."""
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def line(name: str, style: str, points: Sequence[tuple[float, float]], says: str) -> Series:
    """A curve; `says` is a format with {x} and {y} in percent."""
    marks = [Mark(across(x), up(y), says.format(x=percent(x), y=percent(y))) for x, y in points]
    return Series(name, style, tuple(marks))


def interval_chart(
    key: str, title: str, x_title: str, values: Sequence[tuple[str, float, float, float, bool]], largest: float
) -> IntervalChart:
    """Rows of (label, mean, low, high, whether it is ours) on an axis from 0 to at least `largest`."""
    step = next((one for one in STEPS if largest / one <= MAX_TICKS), STEPS[-1])
    n_steps = int(largest / step) + 1

    def at(value: float) -> float:
        return round(LABEL + value / (n_steps * step) * (WIDTH - LABEL - RIGHT), 1)

    bars = []
    for position, (label, mean, low, high, is_ours) in enumerate(values):
        y = TOP + ROW * (position + 0.5)
        says = f"{label}: {mean:.3f}, 95 % interval {low:.3f} to {high:.3f}"
        bars.append(Bar(label, y, Mark(at(mean), y, says, at(low), at(high)), is_ours))
    ticks = tuple((at(number * step), f"{number * step:.2f}") for number in range(n_steps + 1))
    height = TOP + ROW * len(values) + BOTTOM
    return IntervalChart(key, title, "; ".join(bar.mark.says for bar in bars), x_title, height, ticks, tuple(bars))
