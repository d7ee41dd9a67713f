"""The last climb of a fit, on all customers, by the curvature of a sample of them.

From the sample's optimum the top is a few steps away, if one knows how the likelihood bends: quasi-Newton steps within
the bounds, begun with the sample's curvature. L-BFGS-B has to find the curvature first and looks at all customers four
times as often. Whatever does not go as foreseen is given up here, for the caller to climb the long way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Mask, Vector

MAX_STEPS = 20
LONGEST_STEP = 1.0  # in the logarithm of a parameter; the sample's curvature holds no further
APART = 1e-4  # of the points whose gradients tell the curvature
FLATTEST = 1e-7  # curvature per customer that every direction is taken to have at least
PARTS = (1.0, 0.25, 0.0625)  # of a step, tried until one leads down
ROUNDING = 1e-12  # share by which a sum over a million customers may differ from itself
NEAR_BOUND = 1e-6

Matrix = NDArray[np.float64]
Descent = Callable[[Vector], tuple[float, Vector]]


@dataclass(frozen=True, slots=True)
class Point:
    """Where a descent stands: logarithms of the parameters, the function there, its gradient, and the steps taken."""

    at: Vector
    value: float
    slope: Vector
    steps: int = 0


def curvature(descent: Descent, at: Vector) -> Matrix:
    """Second derivatives by differences of gradients; shape (n_params, n_params), symmetric."""
    _, here = descent(at)
    moves = APART * np.eye(len(at))
    bent = np.array([descent(at + move)[1] - here for move in moves]) / APART
    return np.asarray((bent + bent.T) / 2.0, np.float64)


def settle(descent: Descent, start: Vector, bent: Matrix, limit: float, tolerance: float) -> Point | None:
    """Go down to where the gradient is below the root of `tolerance`, or a step gains less than it.

    Parameters
    ----------
    descent
        What to go down, and its gradient.
    start : within the bounds
    bent
        Curvature expected there.
    limit
        Largest absolute value of a logarithm.
    tolerance
        Of the value, relative to it.

    Returns
    -------
    Point, or None
        None when something is no number, every step leads up, or `MAX_STEPS` do not suffice.
    """
    here, steepest = Point(start, *descent(start)), np.sqrt(tolerance)
    if not np.all(np.isfinite(bent)):
        return None
    while np.isfinite(here.value) and here.steps < MAX_STEPS:
        free = ~_is_held(here, here.slope, limit)
        if np.max(np.abs(here.slope[free]), initial=0.0) < steepest:
            return here
        there = _lower(descent, here, _step(here, bent, free, limit))
        if there is None:
            return None
        if here.value - there.value < tolerance * max(abs(here.value), 1.0):
            return there
        bent, here = _updated(bent, here, there), there
    return None


def _is_held(here: Point, slope: Vector, limit: float) -> Mask:
    """Which parameters are at a bound that the slope leads beyond; shape (n_params,)."""
    at_bound = np.abs(here.at) >= limit - NEAR_BOUND
    return np.asarray(at_bound & (slope * np.sign(here.at) < 0), bool)


def _step(here: Point, bent: Matrix, free: Mask, limit: float) -> Vector:
    """Newton's step of the free parameters, as far as it is trusted and the next bound."""
    step = _newton(here, bent, free)
    outward = _is_held(here, -step, limit)
    if np.any(outward):
        step = _newton(here, bent, free & ~outward)
    room = limit - here.at * np.sign(step)
    furthest = np.divide(room, np.abs(step), out=np.ones(len(step)), where=step != 0)
    return step * min(1.0, float(furthest.min()), LONGEST_STEP / max(float(np.abs(step).max()), LONGEST_STEP))


def _newton(here: Point, bent: Matrix, free: Mask) -> Vector:
    bend, directions = np.linalg.eigh(bent[np.ix_(free, free)])
    bend = np.maximum(np.abs(bend), FLATTEST)
    step = np.zeros(len(free))
    step[free] = -directions @ ((directions.T @ here.slope[free]) / bend)
    return step


def _lower(descent: Descent, here: Point, step: Vector) -> Point | None:
    """Where the step, or a part of it, leads, if that is no higher but for rounding."""
    for part in PARTS:
        at = here.at + part * step
        there = Point(at, *descent(at), here.steps + 1)
        if there.value <= here.value + ROUNDING * max(abs(here.value), 1.0):
            return there
    return None


def _updated(bent: Matrix, here: Point, there: Point) -> Matrix:
    """Curvature that explains the change of the gradient too (Broyden, Fletcher, Goldfarb & Shanno, 1970)."""
    moved, change = there.at - here.at, there.slope - here.slope
    along, expected = float(moved @ change), bent @ moved
    before = float(moved @ expected)
    if min(along, before) <= 0:
        return bent
    return bent + np.outer(change, change) / along - np.outer(expected, expected) / before
