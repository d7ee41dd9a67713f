"""What customers are worth, by which model, how sure that is, and what its numbers mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from training.intervals import Interval
from training.pipeline import ValueEvidence
from training.sheets import Sheet
from training.words import Money

CLV: Final = "clv_total"
TITLES: Final = {"mbg_nbd": "MBG/NBD", "bg_nbd": "BG/NBD", "pareto_nbd": "Pareto/NBD"}
MEANINGS: Final = {
    "transactions.r": "how alike customers are in how often they order: larger is more alike",
    "transactions.alpha": "with r: while active, a customer orders every alpha / r days on average",
    "transactions.a": "with b: after a share a / (a + b) of orders customers leave",
    "transactions.b": "see a; together, larger is more alike",
    "transactions.s": "how alike customers are in how soon they leave: larger is more alike",
    "transactions.beta": "with s: customers leave at a rate of s / beta a day",
    "spend.p": "how alike the orders of one customer are in value: larger is more alike",
    "spend.q": "how alike customers are in the mean value of their orders: larger is more alike",
    "spend.v": "scale of order values: the mean order is p v / (q - 1), where q is above 1",
    CLV: "what all customers together are expected to bring, discounted",
}


def chosen_in_words(evidence: ValueEvidence) -> list[str]:
    """Which transaction model is used, and why."""
    choice = evidence.choice
    said = [f"{model_title(choice.model)} foresees how often customers order: {_reason(choice.reason)}."]
    if choice.log_likelihood:
        scores = sorted(choice.log_likelihood.items(), key=lambda pair: (-pair[1], pair[0]))
        shown = ", ".join(f"{model_title(name)} {score:.4f}" for name, score in scores)
        said.append(
            f"Log-likelihood per customer of the orders held out ({choice.n_customers:,} customers; higher is better): "
            f"{shown}."
        )
    return said


def rhythm_in_words(evidence: ValueEvidence, currency: str | None) -> Iterator[str]:
    """The one consequence of the parameters everybody can picture."""
    found = evidence.intervals.intervals
    if {"transactions.r", "transactions.alpha"} <= set(found):
        days = found["transactions.alpha"].estimate / found["transactions.r"].estimate
        yield f"An average customer who is still active orders every {days:,.0f} days."
    if {"spend.p", "spend.q", "spend.v"} <= set(found) and found["spend.q"].estimate > 1:
        p, q, v = (found[f"spend.{name}"].estimate for name in "pqv")
        yield f"Their average order is worth {f'{currency} ' if currency else ''}{p * v / (q - 1):,.2f}."


def clv_in_words(evidence: ValueEvidence, money: Money, days: int) -> str:
    """Total customer lifetime value with its interval, or why there is none."""
    total = evidence.intervals.intervals.get(CLV)
    if total is None:
        return f"No intervals: {evidence.intervals.reason}."
    return (
        f"All customers together are expected to bring {money(total.estimate)} in the next {days} days, discounted "
        f"(95 % interval {money(total.low)} to {money(total.high)})."
    )


def parameter_sheet(evidence: ValueEvidence) -> Sheet | None:
    """Every parameter with its interval and meaning; None where there are none."""
    found = evidence.intervals.intervals
    if not found:
        return None
    rows = tuple((name, *_ends(one), MEANINGS.get(name, "")) for name, one in found.items() if name != CLV)
    return Sheet("Parameters", ("parameter", "estimate", "low", "high", "meaning"), rows, words=(0, 4))


def _ends(one: Interval) -> tuple[str, str, str]:
    return f"{one.estimate:,.4g}", f"{one.low:,.4g}", f"{one.high:,.4g}"


def _reason(text: str) -> str:
    for name, title in TITLES.items():
        text = re.sub(rf"\b{name}\b", title, text)
    return text


def model_title(model: str) -> str:
    """Write a transaction model as its authors do."""
    return TITLES.get(model, model)
