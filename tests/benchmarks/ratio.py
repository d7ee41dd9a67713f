"""What a benchmark yields: our time against that of the bare library on the same work, in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 3


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours and the baseline's seconds, or what `what` names, and the ratio not to exceed (None: none set yet)."""

    what: str
    against: str
    seconds: float
    baseline_seconds: float
    goal: float | None = None

    @property
    def ratio(self) -> float:
        """How many times the baseline's time ours takes."""
        return self.seconds / self.baseline_seconds

    @property
    def verdict(self) -> str:
        """Whether the goal is reached, in a word."""
        if self.goal is None:
            return "no goal"
        return "reached" if self.ratio <= self.goal else "missed"


def median_seconds(call: Callable[[], object], runs: int = RUNS) -> float:
    """Median wall-clock seconds of some runs of `call`."""
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
