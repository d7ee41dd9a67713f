"""Why a customer is on a list: what put them there at all, then the facts that move their place most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from recsvc.domain.arrays import Counts
from recsvc.domain.profiles import CustomerModels, Profiles
from recsvc.domain.why import FAMILIES, family_weights
from recsvc.serving.customer_sentences import SENTENCES, Told, off_rhythm, rhythm, trend
from recsvc.serving.slate import Reason

FACTS = 3
TELLING = 0.1  # a family without a sentence of its own is told of when it moves a customer's worth by a tenth
WORDS: Final = {
    "satisfaction": "ratings and complaints",
    "contact": "answers to what was sent",
    "interest": "visits and looks at products",
    "discounts": "use of discounts",
    "returns": "goods sent back",
}


@dataclass(frozen=True, slots=True)
class WhyWriter:
    """Writes the facts of customers on a list.

    Attributes
    ----------
    currency : of amounts in sentences; None leaves it out
    """

    models: CustomerModels
    currency: str | None

    def whys(self, figures: Profiles, positions: Counts, *, warning: bool) -> Iterator[tuple[int, tuple[Reason, ...]]]:
        """Three facts of each customer asked for, with their position.

        Parameters
        ----------
        positions
            Of those on the list, within the batch of `figures`.
        warning
            It is the early warning list, not the win-back list.
        """
        weights = family_weights(figures, self.models, warning=warning)
        for position in positions.tolist():
            told = Told(figures, self.models, self.currency, warning, position)
            yield position, _first(_facts(told, {family: float(moved[position]) for family, moved in weights.items()}))


def _facts(told: Told, weights: dict[str, float]) -> Iterator[Reason | None]:
    """Membership first, then families by how far they move the customer, then those that always have a sentence."""
    yield _membership(told)
    for family in sorted(weights, key=lambda name: (-abs(weights[name]), FAMILIES.index(name))):
        yield SENTENCES[family](told) if family in SENTENCES else _unworded(family, weights[family])
    for sentence in SENTENCES.values():
        yield sentence(told)


def _first(facts: Iterator[Reason | None]) -> tuple[Reason, ...]:
    found: dict[str, Reason] = {}
    for fact in facts:
        if fact is not None:
            found.setdefault(fact.code, fact)
        if len(found) == FACTS:
            break
    return tuple(found.values())


def _membership(told: Told) -> Reason | None:
    """What put the customer on the list at all: a fall, a rhythm they no longer keep, or silence."""
    signs = told.figures.signs
    if signs.falling[told.position]:
        return trend(told)
    is_off = signs.off_rhythm[told.position] and not signs.overdue[told.position]
    return off_rhythm(told) if is_off else rhythm(told)


def _unworded(family: str, weight: float) -> Reason | None:
    if abs(weight) < TELLING:
        return None
    text = f"{WORDS[family]} {'raise' if weight > 0 else 'lower'} their place on this list, all else equal"
    return Reason(family, text, {"times_the_average": round(float(np.exp(weight)), 2)})
