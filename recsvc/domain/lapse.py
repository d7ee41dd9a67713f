r"""The personal clock: whether a customer is late by their own rhythm, not by "90 days".

Days between orders of customer i are :math:`\mathrm{Gamma}(p, \lambda_i)` with :math:`\lambda_i \sim
\mathrm{Gamma}(q, v)` over customers, so few-order customers shrink to everyone's rhythm. Given n gaps
that add up to S days, the next gap is :math:`(v + S)` times a beta-prime variable with shapes :math:`p`
and :math:`q + np`. How far the present silence reaches into that distribution is the state. Only formulas
live here; `training` fits the numbers.

References
----------
Holtrop & Wieringa (2023), "Timing customer reactivation initiatives", International Journal of Research
in Marketing 40(3)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv

from recsvc.domain.arrays import Days, Mask, Vector
from recsvc.domain.parameters import read_numbers, validate_positive
from recsvc.domain.rfm import Gaps
from recsvc.errors import ConfigError, DataError

STATES: Final = ("new", "active", "due", "late", "lapsed", "lost")
NEW, ACTIVE, DUE, LATE, LAPSED, LOST = range(len(STATES))

LONGEST_GAP_DAYS = 36_500  # a century: a heavy tail may put 99 % beyond what a date can hold
TINY = np.finfo(np.float64).tiny  # keeps logarithms of probabilities finite


@dataclass(frozen=True, slots=True)
class LapseParams:
    """Fitted parameters of the gaps between orders, all above 0.

    Attributes
    ----------
    p, q
        Shapes of one customer's gaps and of the rates over customers.
    v : days
        Rate over customers.
    """

    p: float
    q: float
    v: float

    def __post_init__(self) -> None:
        validate_positive("personal clock", asdict(self))

    def to_json(self) -> dict[str, float]:
        """Plain numbers by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LapseParams:  # Any: read from JSON
        """Inverse of `to_json`."""
        return cls(**read_numbers("personal clock", values, cls.__slots__))


@dataclass(frozen=True, slots=True)
class LapseThresholds:
    """Shares of a customer's own gaps after which each state begins; rising, inside (0, 1)."""

    due: float = 0.5
    late: float = 0.8
    lapsed: float = 0.95
    lost: float = 0.99

    def __post_init__(self) -> None:
        if not 0 < self.due < self.late < self.lapsed < self.lost < 1:
            raise ConfigError("lapse", "thresholds must satisfy 0 < due < late < lapsed < lost < 1")

    def to_json(self) -> dict[str, float]:
        """Plain numbers by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LapseThresholds:  # Any: read from JSON
        """Inverse of `to_json`."""
        return cls(**read_numbers("lapse thresholds", values, cls.__slots__))


@dataclass(frozen=True, slots=True)
class LapseStates:
    """Where customers stand on their own clocks; every array has shape (n_customers,).

    Attributes
    ----------
    state : int8, position in `STATES`
    since_day : days since 1970-01-01
        Day the state began.
    has_next
        Whether a state comes after this one; False for `lost` only.
    next_day : days since 1970-01-01
        Day the next state begins if no order comes; means nothing where `has_next` is False.
    """

    state: NDArray[np.int8]
    since_day: Days
    has_next: Mask
    next_day: Days

    def __len__(self) -> int:
        return len(self.state)

    def name(self, position: int) -> str:
        """Name of one customer's state."""
        return STATES[self.state[position]]

    def is_in(self, *names: str) -> Mask:
        """Which customers are in one of the named states; shape (n_customers,)."""
        return np.isin(self.state, [STATES.index(name) for name in names])


def lapse_states(
    params: LapseParams, thresholds: LapseThresholds, gaps: Gaps, last_order_day: Days, now_day: int
) -> LapseStates:
    """Where each customer stands on their own clock on a day.

    With at least one gap: `active`, then `due`, `late`, `lapsed` and `lost` from the first whole day past
    each threshold of the customer's next-gap distribution. With one order: `new` until everyone's
    `lapsed` threshold, then `lapsed` and `lost` on everyone's rhythm.

    Parameters
    ----------
    params, thresholds
        The fitted clock, and the shares of gaps that begin each state.
    gaps
        The customers' gaps.
    last_order_day : shape (n_customers,), days since 1970-01-01
    now_day : days since 1970-01-01
        Day to judge on; before an order it counts as the day of the order.

    Returns
    -------
    LapseStates
        States whose thresholds fall into the same day are passed through at once.

    Raises
    ------
    DataError
        If lengths differ.

    Examples
    --------
    Somebody with four gaps of 30 days, 45 days after the last order on day 1,000.

    >>> clock = LapseParams(p=2.0, q=2.0, v=30.0)
    >>> monthly = Gaps(np.array([4.0]), np.array([120.0]), 4 * np.log([30.0]))
    >>> states = lapse_states(clock, LapseThresholds(), monthly, np.array([1000], np.int32), 1045)
    >>> states.name(0), int(states.since_day[0]), int(states.next_day[0])
    ('due', 1027, 1050)
    """
    if not len(gaps) == len(last_order_day):
        raise DataError("lapse states", "gaps and last order days differ in length")
    begins = begins_after_days(params, thresholds, gaps)
    silence = np.maximum(now_day - last_order_day.astype(np.int64), 0)
    stage = stage_of(begins, silence)
    upcoming = np.minimum(stage + 1, begins.shape[1] - 1)
    rows = np.arange(len(gaps))
    return LapseStates(
        state_of(stage, gaps.n_gaps == 0),
        (last_order_day + begins[rows, stage]).astype(np.int32),
        upcoming > stage,
        (last_order_day + begins[rows, upcoming]).astype(np.int32),
    )


def stage_of(begins: NDArray[np.int64], silence_days: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many states each customer has passed through; shape (n_customers,), 0 to 4.

    Parameters
    ----------
    begins : shape (n_customers, 5)
        As `begins_after_days` gives them.
    silence_days : shape (n_customers,), days, 0 or more
    """
    stage: NDArray[np.int64] = np.count_nonzero(silence_days[:, None] >= begins, axis=1) - 1  # `begins` starts with 0
    return stage


def state_of(stage: NDArray[np.int64], has_one_order: Mask) -> NDArray[np.int8]:
    """Position in `STATES` of customers in some stage; shape (n_customers,)."""
    state = ACTIVE + stage
    return np.where(has_one_order & (state < LAPSED), NEW, state).astype(np.int8)


def next_gap_quantiles(params: LapseParams, gaps: Gaps, shares: tuple[float, ...]) -> Vector:
    """Days within which a share of each customer's next gaps ends.

    Parameters
    ----------
    params, gaps
        The fitted clock and the customers' gaps.
    shares : in (0, 1)

    Returns
    -------
    shape (n_customers, n_shares), days, above 0, at most a century
    """
    n_gaps, position = np.unique(gaps.n_gaps, return_inverse=True)
    q = params.q + params.p * n_gaps[:, None]
    share = np.asarray(shares)
    below, above = betaincinv(params.p, q, share), betaincinv(q, params.p, 1.0 - share)
    log_multiple = np.log(np.maximum(below, TINY)) - np.log(np.maximum(above, TINY))
    log_days = log_multiple[position] + np.log(params.v + gaps.sum_days)[:, None]
    return np.asarray(np.exp(np.minimum(log_days, np.log(LONGEST_GAP_DAYS))), np.float64)


def lapsed_after_days(params: LapseParams, thresholds: LapseThresholds, gaps: Gaps) -> Vector:
    """Silence after which each customer counts as lapsed; shape (n_customers,), days, above 0."""
    return next_gap_quantiles(params, gaps, (thresholds.lapsed,))[:, 0]


def share_of_gaps_passed(params: LapseParams, gaps: Gaps, silence_days: Vector) -> Vector:
    """Share of each customer's next-gap distribution that the present silence has outlasted.

    The clock's reading as one number: 0.5 at the median, past 0.95 lapsed.

    Parameters
    ----------
    params, gaps
        The fitted clock and the customers' gaps.
    silence_days : shape (n_customers,), days, 0 or more
        Days since the last order.

    Returns
    -------
    shape (n_customers,), probability in [0, 1]
    """
    share_of_total = silence_days / (params.v + gaps.sum_days + silence_days)
    return np.asarray(betainc(params.p, params.q + params.p * gaps.n_gaps, share_of_total), np.float64)


def begins_after_days(params: LapseParams, thresholds: LapseThresholds, gaps: Gaps) -> NDArray[np.int64]:
    """Whole days of silence after which `active` to `lost` begin; shape (n_customers, 5), rising.

    Customers with one order are never `due` or `late`: these begin, and end, with the order.
    """
    shares = (thresholds.due, thresholds.late, thresholds.lapsed, thresholds.lost)
    past = np.floor(next_gap_quantiles(params, gaps, shares)).astype(np.int64) + 1
    past[gaps.n_gaps == 0, : LAPSED - DUE] = 0
    return np.concatenate([np.zeros((len(gaps), 1), np.int64), past], axis=1)
