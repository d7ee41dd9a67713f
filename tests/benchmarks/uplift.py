"""What targeting by learned uplift earns beside targeting by past spend and an oracle, in shops of a known truth.

.venv/bin/python -m tests.benchmarks.uplift
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from recsvc.domain.arrays import Counts, Vector
from training.uplift import Lots, fit_uplift
from training.uplift_worlds import N_WORLDS, Audience, cost, draw_history, draw_next, draw_world, n_paid_for, profit


@dataclass(frozen=True, slots=True)
class Earned:
    """Profit of the next campaign of one shop by whom it contacts, all at one budget, in currency units."""

    seed: int
    learner: str
    learned: float
    past_spend: float
    oracle: float

    @property
    def of_oracle(self) -> float:
        """Share of what the oracle earns."""
        return self.learned / self.oracle


def earned(seed: int) -> Earned:
    """Learn from one shop's lots, then target its next campaign three ways."""
    world = draw_world(seed)
    history, is_contacted, returned = draw_history(world)
    fit = fit_uplift(Lots(history.seen, is_contacted, returned))
    audience, price, most = draw_next(world), cost(world), n_paid_for(world)
    by_uplift = _that_pay(fit.predict(audience.seen), audience, price, most)
    by_truth = _that_pay(audience.contacted - audience.alone, audience, price, most)
    by_spend = np.argsort(-audience.past_spend, kind="stable")[:most]
    return Earned(seed, fit.name, *(profit(audience, price, chosen) for chosen in (by_uplift, by_spend, by_truth)))


def _that_pay(uplift: Vector, audience: Audience, price: float, most: int) -> Counts:
    """Whoever is expected to pay for their contact, the best first, as far as the budget goes."""
    expected = uplift * audience.value - price
    order: Counts = np.argsort(-expected, kind="stable")[:most]
    return order[expected[order] > 0]


def main() -> None:
    """Print one row for each shop, and the middle one."""
    console = Console(highlight=False, width=110)
    table = Table("shop", "learner", "learned", "past spend", "oracle", "learned / past spend", "learned / oracle")
    found = [earned(seed) for seed in range(N_WORLDS)]
    for one in found:
        ratio = f"{one.learned / one.past_spend:.2f}" if one.past_spend > 0 else "past spend loses money"
        figures = (f"{figure:,.0f}" for figure in (one.learned, one.past_spend, one.oracle))
        table.add_row(str(one.seed), one.learner.replace("_", " "), *figures, ratio, f"{one.of_oracle:.2f}")
    console.print(table)
    ratios = [one.learned / one.past_spend if one.past_spend > 0 else np.inf for one in found]
    worst = min(found, key=lambda one: one.of_oracle)
    console.print(
        f"In the median {np.median(ratios):.2f} times past spend and {np.median([one.of_oracle for one in found]):.2f} "
        f"of the oracle; worst shop {worst.seed}: {worst.of_oracle:.2f} of the oracle, "
        f"lowest ratio to past spend {min(ratios):.2f}."
    )


if __name__ == "__main__":
    main()
