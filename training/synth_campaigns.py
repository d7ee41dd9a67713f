"""Campaigns whose truth is known: customers of four kinds, a season, an offer, and lots drawn as the engine draws them.

Persuadables come back because of the contact, sure things come back anyway, lost causes never do, and sleeping dogs
would have come back but for the contact (Radcliffe & Surry 1999).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Mask, Vector
from recsvc.experiments.analysis import Arm
from recsvc.experiments.assignment import draw_arms

KINDS = ("persuadable", "sure thing", "lost cause", "sleeping dog")


@dataclass(frozen=True, slots=True)
class World:
    """A shop's customers, as a campaign meets them.

    Attributes
    ----------
    customers : in one campaign
    shares : of the four `KINDS`; sum to 1
    returns : in [0, 1]
        Chance of a return within the horizon of whoever is bound to: sure things, persuadables who are contacted,
        sleeping dogs who are not.
    stray : in [0, 1]
        Chance of everybody else.
    known : in [0, 1]
        How much strata tell of the kind: share of customers in the stratum of their kind, the others in any.
    season : at least 0
        How much both chances differ between campaigns: standard deviation of the log of a factor.
    holdout : in (0, 1)
    """

    customers: int = 2_000
    shares: tuple[float, float, float, float] = (0.1, 0.2, 0.65, 0.05)
    returns: float = 0.6
    stray: float = 0.02
    known: float = 0.4
    season: float = 0.2
    holdout: float = 0.2


@dataclass(frozen=True, slots=True)
class Campaigns:
    """Many campaigns in one world.

    Attributes
    ----------
    arms : by campaign, then by look: the contacted and the held out
    truth_by_look : shape (n_campaigns, n_looks)
        What the contact adds to the chance of having returned by then, over the campaign's customers.
    """

    arms: tuple[tuple[tuple[Arm, Arm], ...], ...]
    truth_by_look: Vector

    @property
    def truth(self) -> Vector:
        """The same at the last look; shape (n_campaigns,)."""
        truth: Vector = self.truth_by_look[:, -1]
        return truth


def campaigns(world: World, n_campaigns: int, *, looks: int, seed: int) -> Campaigns:
    """Run campaigns one after the other, each on customers of its own, looked at `looks` times evenly spaced."""
    rng = np.random.default_rng(seed)
    found = [_campaign(world, looks, rng) for _ in range(n_campaigns)]
    arms, truth = zip(*found, strict=True)
    return Campaigns(tuple(arms), np.array(truth))


def _campaign(world: World, looks: int, rng: np.random.Generator) -> tuple[tuple[tuple[Arm, Arm], ...], Vector]:
    n, n_kinds = world.customers, len(KINDS)
    kind = rng.choice(n_kinds, n, p=world.shares)
    stratum = np.where(rng.random(n) < world.known, kind, rng.integers(0, n_kinds, n))
    factor = np.exp(world.season * rng.standard_normal())
    chance = np.minimum(np.stack([_chances(world, kind, contacted=yes) for yes in (False, True)]) * factor, 1.0)
    contacted = draw_arms(rng.random(n), stratum, [world.holdout]) == 0
    returned = rng.random(n) < np.where(contacted, chance[1], chance[0])
    when = rng.random(n)  # share of the horizon after which those who return do
    by = np.arange(1, looks + 1) / looks
    arms = [tuple(_arm(returned & (when <= until), stratum, some) for some in (contacted, ~contacted)) for until in by]
    return tuple((treated, held_out) for treated, held_out in arms), float((chance[1] - chance[0]).mean()) * by


def _arm(back: Mask, stratum: NDArray[np.int64], some: Mask) -> Arm:
    sizes = np.bincount(stratum[some], minlength=len(KINDS))
    return Arm(np.bincount(stratum[some & back], minlength=len(KINDS)), sizes)


def _chances(world: World, kind: NDArray[np.int64], *, contacted: bool) -> Vector:
    bound = [contacted, True, False, not contacted]
    return np.where(np.array(bound)[kind], world.returns, world.stray)
