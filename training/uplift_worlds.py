"""Shops in which what a contact does is known: 20 of them, drawn from ranges stated here.

Every customer is one of four kinds: persuadables come back because of the contact, sure things come back anyway, lost
causes do not, and sleeping dogs would have come back but for the contact (Radcliffe & Surry 1999). What is seen of
customers tells their kind only in part, so the oracle of these shops knows each customer's chances given what is seen,
not their kind. Those who spent most tend to be sure things, as in real shops. The ranges came before the learner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Counts, Mask, Vector

Table = NDArray[np.float64]
PERSUADABLE, SURE_THING, LOST_CAUSE, SLEEPING_DOG = range(4)
N_WORLDS: Final = 20
N_NEXT: Final = 20_000  # customers of the campaign that is targeted
RANGES: Final = {
    "history": (8_000, 40_000),  # customers of the randomised campaign that is learned from
    "holdout": (0.2, 0.5),  # share of them not contacted
    "persuadable": (0.08, 0.25),  # share of customers, before what is seen of them shifts it; lost causes are the rest
    "sure_thing": (0.1, 0.3),
    "sleeping_dog": (0.02, 0.1),
    "returns": (0.4, 0.8),  # chance of a return of whoever is bound to
    "stray": (0.01, 0.05),  # chance of everybody else
    "tells": (0.8, 2.0),  # how far one standard deviation of what is seen shifts the log odds of a kind
    "loyalty": (0.3, 1.2),  # how far one of past spend shifts those of a sure thing
    "value_sigma": (0.4, 0.9),  # of the logarithm of a return's margin
    "spend_value": (0.3, 0.8),  # correlation of the logarithms of past spend and of that margin
    "season": (0.0, 0.25),  # how far the next campaign's chances are off those of the history, up or down
    "cost": (0.02, 0.08),  # of a contact, in margins of a middling return
    "budget": (0.1, 0.3),  # share of customers it pays to contact
}
N_TELLING, N_IDLE = 5, 5  # columns that tell something of the kind, and columns that tell nothing


@dataclass(frozen=True, slots=True)
class UpliftWorld:
    """A shop: a figure from each of `RANGES`, and how what is seen tells the kind.

    Attributes
    ----------
    figures : by name
    weights : shape (N_TELLING, 4), of a standard deviation of what is seen, on the log odds of each kind
    seed : of the shop and its customers
    """

    figures: dict[str, float]
    weights: Table
    seed: int


@dataclass(frozen=True, slots=True)
class Audience:
    """Customers of one campaign; every array has shape (n_customers,) but `seen`.

    Attributes
    ----------
    seen : shape (n_customers, 1 + N_TELLING + N_IDLE), the logarithm of past spend first
    past_spend, value : currency units; value is the margin of a return
    alone, contacted : in [0, 1], the true chance of a return given what is seen, without and with a contact
    """

    seen: Table
    past_spend: Vector
    value: Vector
    alone: Vector
    contacted: Vector


def draw_world(seed: int) -> UpliftWorld:
    """One shop; every figure uniform over its range."""
    rng = np.random.default_rng([seed, 0])
    figures = {name: float(rng.uniform(low, high)) for name, (low, high) in RANGES.items()}
    weights = figures["tells"] * rng.standard_normal((N_TELLING, 4)) / np.sqrt(N_TELLING)
    return UpliftWorld(figures, weights, seed)


def draw_history(world: UpliftWorld) -> tuple[Audience, Mask, Mask]:
    """A past campaign drawn by lot: its customers, who was contacted, and who returned."""
    rng = np.random.default_rng([world.seed, 1])
    audience = _draw_audience(world, int(world.figures["history"]), 1.0, rng)
    is_contacted = rng.random(len(audience.value)) >= world.figures["holdout"]
    chance = np.where(is_contacted, audience.contacted, audience.alone)
    return audience, is_contacted, rng.random(len(chance)) < chance


def draw_next(world: UpliftWorld) -> Audience:
    """The customers of the campaign that is to be targeted, in another season."""
    rng = np.random.default_rng([world.seed, 2])
    return _draw_audience(world, N_NEXT, 1.0 + rng.choice((-1, 1)) * world.figures["season"], rng)


def cost(world: UpliftWorld) -> float:
    """Currency units of one contact."""
    return world.figures["cost"]


def n_paid_for(world: UpliftWorld) -> int:
    """Contacts the budget of the next campaign pays for."""
    return int(world.figures["budget"] * N_NEXT)


def _draw_audience(world: UpliftWorld, n: int, season: float, rng: np.random.Generator) -> Audience:
    of = world.figures
    log_spend = rng.standard_normal(n)
    log_value = of["spend_value"] * log_spend + np.sqrt(1 - of["spend_value"] ** 2) * rng.standard_normal(n)
    telling, idle = rng.standard_normal((n, N_TELLING)), rng.standard_normal((n, N_IDLE))
    kind = _kinds(world, log_spend, telling)
    bound, stray = of["returns"] * season, of["stray"] * season
    always = stray + (bound - stray) * kind[:, SURE_THING]
    return Audience(
        seen=np.column_stack([log_spend, telling, idle]),
        past_spend=np.exp(log_spend),
        value=np.exp(of["value_sigma"] * log_value),
        alone=always + (bound - stray) * kind[:, SLEEPING_DOG],
        contacted=always + (bound - stray) * kind[:, PERSUADABLE],
    )


def _kinds(world: UpliftWorld, log_spend: Vector, telling: Table) -> Table:
    """Chance of each kind given what is seen; the last two columns tell by how far off the middle they are."""
    of = world.figures
    shares = np.array([of["persuadable"], of["sure_thing"], 0.0, of["sleeping_dog"]])
    shares[LOST_CAUSE] = 1 - shares.sum()
    curved = telling.copy()
    curved[:, -2:] = np.abs(curved[:, -2:]) - np.sqrt(2 / np.pi)
    odds = np.log(shares) + curved @ world.weights
    odds[:, SURE_THING] += of["loyalty"] * log_spend
    raised = np.exp(odds - odds.max(axis=1, keepdims=True))
    chances: Table = raised / raised.sum(axis=1, keepdims=True)
    return chances


def profit(audience: Audience, contact_cost: float, chosen: Counts) -> float:
    """What contacting some customers earns beyond leaving them alone, in currency units.

    Parameters
    ----------
    chosen : shape (n_chosen,), positions
    """
    gained = (audience.contacted - audience.alone) * audience.value - contact_cost
    return float(gained[chosen].sum())
