"""What arms say about a campaign: differences with intervals that are right at small samples and at early looks.

Everything compares by assignment: who was to be contacted against who was held out, whatever reached whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, sqrt

import numpy as np
from scipy.stats import norm, t

from recsvc.domain.arrays import Counts, Vector
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


@dataclass(frozen=True, slots=True)
class Arm:
    """How many of an arm returned, and how many there are, by the stratum the lots were drawn in.

    Attributes
    ----------
    returned, customers : shape (n_strata,)
    """

    returned: Counts
    customers: Counts

    @property
    def n(self) -> int:
        """Customers."""
        return int(self.customers.sum())

    @property
    def share(self) -> float:
        """Share who returned; 0 for an empty arm."""
        return float(self.returned.sum()) / self.n if self.n else 0.0

    @property
    def effective(self) -> float:
        """How many customers drawn without strata would tell as much.

        Shares differ between strata, and lots drawn within strata do not err on that: the design effect of Kish (1965),
        turned round. At least `n`.
        """
        share, n = self.share, np.maximum(self.customers, 1)
        within = self.returned / n * (1 - self.returned / n) * n / np.maximum(n - 1, 1)
        within = np.where(self.customers > 1, within, share * (1 - share))
        variance = float(self.customers @ within) / max(self.n, 1)
        return self.n * max(share * (1 - share) / variance, 1.0) if variance else float(self.n)


def lift(treated: Arm, held_out: Arm) -> Difference:
    """Difference of the shares who returned, by Newcombe's hybrid of two Wilson intervals.

    References
    ----------
    Newcombe (1998), Interval estimation for the difference between independent proportions, method 10,
    Statistics in Medicine 17

    Examples
    --------
    >>> found = lift(Arm(np.array([56]), np.array([70])), Arm(np.array([48]), np.array([80])))
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    if not treated.n or not held_out.n:
        return Difference(0.0, -inf, inf)
    (low, high), (other_low, other_high) = (wilson(arm.share, arm.effective) for arm in (treated, held_out))
    value = treated.share - held_out.share
    below = sqrt((treated.share - low) ** 2 + (other_high - held_out.share) ** 2)
    above = sqrt((high - treated.share) ** 2 + (held_out.share - other_low) ** 2)
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


def lift_at_any_time(treated: Arm, held_out: Arm) -> Difference:
    """Difference of the shares who returned, by an interval for whoever looks again and again.

    An asymptotic confidence sequence, tightest at these sizes: about 3 standard errors each way instead of 1.96. It
    holds at all looks together while customers come in. Where all of a campaign start together and returns add up, it
    is as wide as 20 looks need by Bonferroni.

    References
    ----------
    Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), Time-uniform central limit theory and asymptotic confidence
    sequences, Annals of Statistics 52(6)

    Examples
    --------
    >>> found = lift_at_any_time(Arm(np.array([2_100]), np.array([9_000])), Arm(np.array([200]), np.array([1_000])))
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.0333, -0.0074, 0.0741)
    """
    if not treated.n or not held_out.n:
        return Difference(0.0, -inf, inf)
    value = treated.share - held_out.share
    half = ANY_TIME * sqrt(sum(_variance(arm) for arm in (treated, held_out)))
    return Difference(value, value - half, value + half)


def _variance(arm: Arm) -> float:
    """Of the share, with one more who returned and one who did not: no share is known to be 0."""
    share = (arm.returned.sum() + 1) / (arm.n + 2)
    return float(share * (1 - share) / arm.effective)


def _any_time() -> float:
    """Standard errors of the normal mixture's boundary where it is tightest: n rho^2 = -2 ln a + ln(1 - 2 ln a)."""
    alpha = 1 - LEVEL
    best = -2 * log(alpha) + log(1 - 2 * log(alpha))
    return sqrt(2 * (best + 1) / best * log(sqrt(best + 1) / alpha))


ANY_TIME = _any_time()
