"""Layers of customers as a marketer plans with them: what they are worth x how likely they are to stay away.

Value is spend per active year (high, middle, low); risk comes from the clock's state and the probability of staying
away over the horizon. Every cell of the grid has a name that programs may rely on, a label, and one thing to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import AnyArray, Mask, Vector
from recsvc.domain.lapse import LAPSED, LOST, NEW
from recsvc.domain.parameters import read_numbers
from recsvc.errors import DataError

VALUES: Final = ("high", "middle", "low")
RISKS: Final = ("new", "secure", "slipping", "lapsed", "lost")
LAYERS: Final = tuple(f"{value}_{risk}" for value in VALUES for risk in RISKS)
HIGH, MIDDLE, LOW = range(len(VALUES))
IS_NEW, IS_SECURE, IS_SLIPPING, HAS_LAPSED, IS_LOST = range(len(RISKS))

UNSURE = 0.1  # who stays away with less than this probability all but surely returns
GONE = 0.5  # who is lost on the clock and rather stays away than returns is lost
LABELS: Final = {
    "high_new": "new, spends like the best",
    "high_secure": "best customers, on rhythm",
    "high_slipping": "best customers, slipping",
    "high_lapsed": "best customers, lapsed",
    "high_lost": "best customers, lost",
    "middle_new": "new, solid start",
    "middle_secure": "solid customers, on rhythm",
    "middle_slipping": "solid customers, slipping",
    "middle_lapsed": "solid customers, lapsed",
    "middle_lost": "solid customers, lost",
    "low_new": "new, small start",
    "low_secure": "occasional customers, on rhythm",
    "low_slipping": "occasional customers, slipping",
    "low_lapsed": "occasional customers, lapsed",
    "low_lost": "occasional customers, lost",
}
ACTIONS: Final = {
    "high_new": "Welcome them in person and make the second order easy within their first month.",
    "high_secure": "Thank them and show what is new first; spend nothing on discounts.",
    "high_slipping": "Ask now whether something went wrong and remind them of their favourites, before any discount.",
    "high_lapsed": "Win back first: a personal message with their favourites and your best offer.",
    "high_lost": "Make one strong, personal attempt; stop if it is not answered.",
    "middle_new": "Show what goes with the first order and ask for the second.",
    "middle_secure": "Widen the basket: show neighbouring categories they have not tried.",
    "middle_slipping": "Send a reminder with the products that are due, without a discount.",
    "middle_lapsed": "Win back with favourites and a small offer; test who needs the offer at all.",
    "middle_lost": "Include in a seasonal campaign; no single effort.",
    "low_new": "Keep to the automatic welcome series.",
    "low_secure": "Leave alone; the ordinary newsletter is enough.",
    "low_slipping": "Leave to automatic reminders that cost nothing.",
    "low_lapsed": "Contact only where it is free, with what is popular now.",
    "low_lost": "Contact only where it costs nothing; take them off paid lists.",
}
COLUMNS: Final = ("layer", "spend", "spend_per_year", "churn_probability", "value_at_stake")


@dataclass(frozen=True, slots=True)
class LayerRule:
    """Where the lines between layers are, as fitted or set at training.

    Attributes
    ----------
    middle : currency units per year, 0 or more
        Spend per active year from which a customer is of middle value.
    win_back_churn : in [0, 1)
        Who lapsed but stays away with less than this probability is left off the win-back list; 0 lists everybody.
    """

    middle: float = 0.0
    win_back_churn: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.middle) and self.middle >= 0 and 0 <= self.win_back_churn < 1):
            raise DataError("layer rule", f"middle must be 0 or more and win_back_churn in [0, 1), not {self}")

    def to_json(self) -> dict[str, float]:
        """Plain numbers by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any] | None) -> LayerRule:  # Any: read from JSON
        """Inverse of `to_json`; the rule of bundles from before there was one for None."""
        return cls() if values is None else cls(**read_numbers("layer rule", values, cls.__slots__))


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One cell of the grid: who is in it, and what to do.

    Attributes
    ----------
    name : one of `LAYERS`, and its two parts
    customers : count
    spend, spend_per_year, value_at_stake : currency units; so far, expected a year while active, and of the horizon's
        spend what is expected to be lost
    churn_probability : mean; None where nobody is
    """

    name: str
    value: str
    risk: str
    label: str
    action: str
    customers: int
    spend: float
    spend_per_year: float
    value_at_stake: float
    churn_probability: float | None


def layers(columns: Mapping[str, AnyArray]) -> tuple[LayerRow, ...]:
    """Counts and money of every cell of the grid, in the order of `LAYERS`, empty cells included.

    Parameters
    ----------
    columns
        Those of `customers.parquet` named in `COLUMNS`, each of shape (n_customers,): `layer` holds names, the others
        numbers. A pandas frame will do, and so will `{name: table[name].to_numpy() for name in COLUMNS}`.

    Examples
    --------
    >>> money = {name: np.array([50.0, 70.0]) for name in ("spend", "spend_per_year", "value_at_stake")}
    >>> found = layers({"layer": np.array(["high_lapsed"] * 2), "churn_probability": np.array([0.5, 0.75]), **money})
    >>> [(row.name, row.customers, row.spend, row.churn_probability) for row in found if row.customers]
    [('high_lapsed', 2, 120.0, 0.625)]
    """
    names = np.asarray(columns["layer"], dtype=str)
    cell = np.searchsorted(SORTED, names)
    counts = np.bincount(cell, minlength=len(LAYERS))
    totals = {name: np.bincount(cell, np.asarray(columns[name], np.float64), len(LAYERS)) for name in COLUMNS[1:]}
    at = {name: int(np.searchsorted(SORTED, name)) for name in LAYERS}
    return tuple(
        _row(name, int(counts[at[name]]), {key: float(sum_[at[name]]) for key, sum_ in totals.items()})
        for name in LAYERS
    )


def value_layers(rule: LayerRule, high_value: Mask, spend_per_year: Vector) -> NDArray[np.int8]:
    """Value of each customer, as a position in `VALUES`; shape (n_customers,).

    Who never spent anything is of low value.
    """
    middle = (spend_per_year >= rule.middle) & (spend_per_year > 0)
    return np.where(high_value, HIGH, np.where(middle, MIDDLE, LOW)).astype(np.int8)


def risk_layers(state: NDArray[np.int8], churn: Vector, slipping: Mask) -> NDArray[np.int8]:
    """Risk of each customer, as a position in `RISKS`.

    Parameters
    ----------
    state : shape (n_customers,), position in `lapse.STATES`
    churn : shape (n_customers,), probability of no order within the horizon
    slipping : shape (n_customers,)
        Who shows signs of leaving before the clock says lapsed.

    Returns
    -------
    shape (n_customers,), int8
        Lapsed and lost customers who most likely return by themselves count as slipping: late on their own rhythm.
    """
    gone = (state >= LAPSED) & (churn >= UNSURE)
    waiting = (state >= LAPSED) & (churn < UNSURE)
    risk = np.where(slipping | waiting, IS_SLIPPING, IS_SECURE)
    risk = np.where(gone, np.where((state == LOST) & (churn >= GONE), IS_LOST, HAS_LAPSED), risk)
    return np.where(state == NEW, IS_NEW, risk).astype(np.int8)


def may_win_back(rule: LayerRule, state: NDArray[np.int8], churn: Vector) -> Mask:
    """Who belongs on the win-back list: lapsed or lost, and unsure enough to return; shape (n_customers,)."""
    return (state >= LAPSED) & (churn >= rule.win_back_churn)


def layer_positions(value: NDArray[np.int8], risk: NDArray[np.int8]) -> NDArray[np.int8]:
    """Cell of each customer, as a position in `LAYERS`; shape (n_customers,)."""
    return (value * len(RISKS) + risk).astype(np.int8)


def _row(name: str, customers: int, totals: Mapping[str, float]) -> LayerRow:
    value, risk = name.split("_")
    return LayerRow(
        name=name,
        value=value,
        risk=risk,
        label=LABELS[name],
        action=ACTIONS[name],
        customers=customers,
        spend=totals["spend"],
        spend_per_year=totals["spend_per_year"],
        value_at_stake=totals["value_at_stake"],
        churn_probability=totals["churn_probability"] / customers if customers else None,
    )


SORTED: Final = np.array(sorted(LAYERS))
