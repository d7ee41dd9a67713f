"""How well value is foreseen: all of CDNOW, known for 65 weeks, against the 90 days after them.

    .venv/bin/python -m tests.benchmarks.cdnow_holdout      (part of `make evidence`)

The trainer's own choice and fit, on the file of the `lifetimes` distribution. CDNOW has no items, so
this is value alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import rankdata

from recsvc.domain.arrays import Counts, Mask, Vector
from recsvc.domain.history import Histories
from recsvc.domain.profiles import Economics
from recsvc.domain.rfm import Rfm, rfm
from recsvc.domain.transactions import expected_purchases, probability_of_purchase
from recsvc.domain.value_models import ValueModels, average_value, clv
from tests.golden import cdnow
from training.holdout import hold_out
from training.intervals import ValueIntervals, sampled, value_intervals
from training.model_choice import Choice, choose_transactions
from training.transactions import RECIPES
from training.value import fit_value

FIRST_DAY = 9862  # 1997-01-01
KNOWN_DAYS = 65 * 7
EARLIER_WEEKS = (26, 30, 34, 39, 45, 52)
HORIZON_DAYS = 90
TOP_SHARE = 0.2
BINS = 10
ECONOMICS = Economics(HORIZON_DAYS, clv_horizon_days=365, margin=1.0, discount_rate=0.1)


@dataclass(frozen=True, slots=True)
class Scores:
    """How well returns and spend were foreseen; all in [0, 1]."""

    auc: float
    capture: float
    brier: float
    calibration_error: float


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure of `Scores` with what it has to reach, at least or at most; None where it is shown only."""

    name: str
    figure: str
    at_least: float | None = None
    at_most: float | None = None

    def verdict(self, value: float) -> str:
        """Whether it is reached, and what it is."""
        if self.at_least is not None:
            return f">= {self.at_least:g}: {'reached' if value >= self.at_least else 'missed'}"
        return (
            "" if self.at_most is None else f"<= {self.at_most:g}: {'reached' if value <= self.at_most else 'missed'}"
        )


GOALS = (
    Goal("AUC of P(order)", "auc", at_least=0.835),
    Goal("spend of the top 20 % by expected spend", "capture", at_least=0.77),
    Goal("Brier score of P(order)", "brier"),
    Goal("expected calibration error", "calibration_error", at_most=0.03),
)


def main() -> None:
    """Print the choice, the scores of all three models, the intervals, and what first orders are good for."""
    console = Console(highlight=False)
    known, after = _split(cdnow.orders(), FIRST_DAY + KNOWN_DAYS)
    customers = rfm(known, FIRST_DAY + KNOWN_DAYS)
    choice = _choose(known, FIRST_DAY + KNOWN_DAYS)
    fits = {name: fit_value(customers, recipe).models for name, recipe in RECIPES.items()}
    scores = {name: score(models, customers, *after) for name, models in fits.items()}
    console.print(_score_table(choice, scores, len(customers)))
    chosen = fits[choice.model]
    total = float(clv(chosen, customers, 365, discount_rate=ECONOMICS.discount_rate).sum())
    console.print(_interval_table(value_intervals(sampled(customers), len(customers), chosen, ECONOMICS, total)))
    console.print(_first_order_table(cdnow.orders()))


def score(models: ValueModels, customers: Rfm, orders_after: Counts, spend_after: Vector) -> Scores:
    """Compare what models expect of customers within the horizon with what they did."""
    triple = (customers.frequency, customers.recency, customers.T)
    chance = probability_of_purchase(models.transactions, HORIZON_DAYS, *triple)
    expected_spend = expected_purchases(models.transactions, HORIZON_DAYS, *triple) * average_value(models, customers)
    returned = orders_after > 0
    top = np.argsort(-expected_spend, kind="stable")[: int(len(customers) * TOP_SHARE)]
    return Scores(
        auc=_auc(chance, returned),
        capture=float(spend_after[top].sum() / spend_after.sum()),
        brier=float(np.mean((chance - returned) ** 2)),
        calibration_error=_calibration_error(chance, returned),
    )


def _split(whole: Histories, cut_off: int) -> tuple[Histories, tuple[Counts, Vector]]:
    """Records before a day, and orders and dollars of each customer within the horizon after it."""
    customer, day = whole.order_customer(), whole.order_day
    before, after = day < cut_off, (day >= cut_off) & (day < cut_off + HORIZON_DAYS)
    none, nothing = np.zeros(0, np.int32), np.zeros(len(whole) + 1, np.int64)
    offsets = np.searchsorted(customer[before], np.arange(len(whole) + 1)).astype(np.int64)
    no_lines = (nothing, none, none, np.zeros(0, np.float32), np.zeros(0, np.int64))
    known = Histories(whole.customer_ids, offsets, day[before], whole.order_amount[before], *no_lines)
    count = np.bincount(customer[after], minlength=len(whole)).astype(np.int64)
    spend = np.bincount(customer[after], whole.order_amount[after] / 100.0, len(whole)).astype(np.float64)
    return known, (count, spend)


def _choose(known: Histories, cut_off: int) -> Choice:
    return choose_transactions(hold_out(known, cut_off, HORIZON_DAYS), HORIZON_DAYS)


def _auc(chance: Vector, returned: Mask) -> float:
    n_returned = int(returned.sum())
    ranks = float(rankdata(chance)[returned].sum())
    return (ranks - n_returned * (n_returned + 1) / 2) / (n_returned * (len(chance) - n_returned))


def _calibration_error(chance: Vector, returned: Mask) -> float:
    """Mean gap between what was expected and what happened, over bins of equal width."""
    found = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
    return float(np.abs(np.bincount(found, chance - returned, BINS)).sum() / len(chance))


def _score_table(choice: Choice, scores: dict[str, Scores], n_customers: int) -> Table:
    others = [name for name in scores if name != choice.model]
    title = f"CDNOW, {n_customers:,} customers, 65 weeks and the 90 days after them; shipped: {choice.model}"
    table = Table("", choice.model, "goal", *others, title=title, caption=f"{choice.model}: {choice.reason}")
    for goal in GOALS:
        values = {name: getattr(found, goal.figure) for name, found in scores.items()}
        shown = (f"{values[name]:.4f}" for name in others)
        table.add_row(goal.name, f"{values[choice.model]:.4f}", goal.verdict(values[choice.model]), *shown)
    likelihood = choice.log_likelihood or {}
    shown = (f"{likelihood[name]:.5f}" if name in likelihood else "" for name in (choice.model, *others))
    table.add_row("log-likelihood by which it was chosen", next(shown), "", *shown)
    return table


def _interval_table(found: ValueIntervals) -> Table:
    table = Table("", "estimate", "95 % from", "to", title="Parameters (days, dollars) and CLV of all, over a year")
    for name, interval in found.intervals.items():
        table.add_row(name, *(f"{value:,.4g}" for value in (interval.estimate, interval.low, interval.high)))
    return table


def _first_order_table(orders: Histories) -> Table:
    title = "First orders left out of what orders are expected to be worth, and counted, at earlier cut-offs"
    table = Table("weeks known", "spend of the top 20 %", "counted", "mean error, $", "counted", "trainer", title=title)
    for weeks in EARLIER_WEEKS:
        cut_off = FIRST_DAY + weeks * 7
        known, (count, spend) = _split(orders, cut_off)
        customers = rfm(known, cut_off)
        fitted = fit_value(customers, RECIPES[_choose(known, cut_off).model]).models
        both = [replace(fitted, counts_first_order=counts) for counts in (False, True)]
        captures = (f"{score(models, customers, count, spend).capture:.4f}" for models in both)
        errors = (f"{_mean_error(models, customers, count, spend):.2f}" for models in both)
        table.add_row(str(weeks), *captures, *errors, "counted" if fitted.counts_first_order else "left out")
    return table


def _mean_error(models: ValueModels, customers: Rfm, count: Counts, spend: Vector) -> float:
    """Mean absolute error of an order's expected value, over the customers who ordered."""
    ordered = count > 0
    came = spend[ordered] / count[ordered]
    return float(np.abs(average_value(models, customers)[ordered] - came).mean())


if __name__ == "__main__":
    main()
