"""What arms say about a campaign: differences with intervals that are right at small samples and at early looks.

Everything compares by assignment: who was to be contacted against who was held out, whatever reached whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, sqrt

import numpy as np
from scipy.stats import norm, t

from recsvc.domain.arrays import Vector
from recsvc.domain.proportions import wilson

POWER, LEVEL = 0.8, 0.95


@dataclass(frozen=True, slots=True)
class Difference:
    """Treated minus held out, with the interval that holds it at `LEVEL`.

    Attributes
    ----------
    value, low, high : in units of the outcome; an interval of an arm without customers is infinite
    """

    value: float
    low: float
    high: float

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def smallest_lift(base: float, n_treated: int, n_held_out: int) -> float:
    """Smallest difference of shares that arms of this size show in four of five campaigns, at most 1.

    Parameters
    ----------
    base : in [0, 1]
        Share among the held out.

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 6

    Examples
    --------
    >>> round(smallest_lift(0.2, 9_000, 1_000), 4)
    0.0374
    """
    if not n_treated or not n_held_out:
        return 1.0
    z = norm.ppf(0.5 + LEVEL / 2) + norm.ppf(POWER)
    return min(
        1.0, float(z * sqrt(max(base * (1 - base), 1 / min(n_treated, n_held_out)) * (1 / n_treated + 1 / n_held_out)))
    )


def lift(returned_treated: int, n_treated: int, returned_held_out: int, n_held_out: int) -> Difference:
    """Difference of the shares who returned, by Newcombe's hybrid of two Wilson intervals.

    References
    ----------
    Newcombe (1998), Interval estimation for the difference between independent proportions, method 10,
    Statistics in Medicine 17

    Examples
    --------
    >>> found = lift(56, 70, 48, 80)
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    if not n_treated or not n_held_out:
        return Difference(0.0, -inf, inf)
    share, other = returned_treated / n_treated, returned_held_out / n_held_out
    (low, high), (other_low, other_high) = wilson(share, n_treated), wilson(other, n_held_out)
    value = share - other
    below = sqrt((share - low) ** 2 + (other_high - other) ** 2)
    above = sqrt((high - share) ** 2 + (other - other_low) ** 2)
    return Difference(value, value - below, value + above)


def mean_difference(treated: Vector, held_out: Vector) -> Difference:
    """Difference of two means, by Welch's interval.

    Parameters
    ----------
    treated, held_out : shape (n_customers,) of each arm, at least two of each for a finite interval

    References
    ----------
    Welch (1947), Biometrika 34
    """
    value = float(treated.mean() - held_out.mean()) if len(treated) and len(held_out) else 0.0
    if min(len(treated), len(held_out)) < 2:
        return Difference(value, -inf, inf)
    parts = np.array([one.var(ddof=1) / len(one) for one in (treated, held_out)])
    error = float(np.sqrt(parts.sum()))
    if not error:
        return Difference(value, value, value)
    degrees = float(parts.sum() ** 2 / (parts**2 / np.array([len(treated) - 1, len(held_out) - 1])).sum())
    half = float(t.ppf(0.5 + LEVEL / 2, degrees)) * error
    return Difference(value, value - half, value + half)


def without_what_was_known(outcome: Vector, before: Vector) -> Vector:
    """Outcome of both arms less what a quantity from before the campaign explains of it (CUPED), with the same mean.

    Parameters
    ----------
    outcome, before : shape (n_customers,), both arms together

    References
    ----------
    Deng, Xu, Kohavi & Walker (2013), Improving the Sensitivity of Online Controlled Experiments by Utilizing
    Pre-Experiment Data, WSDM

    Examples
    --------
    >>> without_what_was_known(np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0])).tolist()
    [4.0, 4.0, 4.0]
    """
    around = before - before.mean()
    spread = float(around @ around)
    slope = float(around @ outcome) / spread if spread else 0.0
    known: Vector = outcome - slope * around
    return known


def mean_difference_at_any_time(treated: Vector, held_out: Vector, planned: int) -> Difference:
    """Difference of two means by an interval that holds at every look, however often one looks.

    An asymptotic confidence sequence, tightest around the number of customers that was planned.

    Parameters
    ----------
    treated, held_out : shape (n_customers,) of each arm, so far
    planned : customers of both arms at the end

    References
    ----------
    Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), Time-uniform central limit theory and asymptotic confidence
    sequences, Annals of Statistics 52(6), equation 2.2
    """
    value = float(treated.mean() - held_out.mean()) if len(treated) and len(held_out) else 0.0
    if min(len(treated), len(held_out)) < 2:
        return Difference(value, -inf, inf)
    n, alpha = len(treated) + len(held_out), 1 - LEVEL
    variance = n * sum(float(one.var(ddof=1)) / len(one) for one in (treated, held_out))  # of one customer's part
    rho2 = (-2 * log(alpha) + log(-2 * log(alpha) + 1)) / max(planned, n)
    half = sqrt(variance * 2 * (n * rho2 + 1) / (n**2 * rho2) * log(sqrt(n * rho2 + 1) / alpha))
    return Difference(value, value - half, value + half)
