"""When, and on which channel, a customer is most likely to act: counts, shrunk to everybody's.

For display and for the time a message is sent. Never a feature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Counts, Mask, Vector

USUAL_ACTS = 5.0  # acts' worth of everybody's distribution that everyone is credited with


@dataclass(frozen=True, slots=True)
class Habit:
    """What one customer prefers; None where the data do not say.

    Attributes
    ----------
    best_hour : 0 to 23, in the time zone the shop was trained with
    best_channel : as the shop calls it
    """

    best_hour: int | None = None
    best_channel: str | None = None


def preferred(counts: Counts, usual: Vector) -> tuple[Counts, Mask]:
    r"""What each customer chooses most, by the mode of their shares' Dirichlet posterior mean.

    .. math:: p_{ic} \propto n_{ic} + m \, u_c, \quad m = 5

    Parameters
    ----------
    counts : shape (n_customers, n_choices), count
        How often each customer chose what.
    usual : shape (n_choices,), sums to 1
        Everybody's shares.

    Returns
    -------
    choice : shape (n_customers,), position of the most likely one; of several the first
    known : shape (n_customers,), whether the customer ever chose

    Examples
    --------
    Two evening orders do not outweigh that nearly everyone orders in the morning; eight do.

    >>> preferred(np.array([[0, 2], [0, 8], [0, 0]]), np.array([0.9, 0.1]))
    (array([0, 1, 0]), array([ True,  True, False]))
    """
    posterior = counts + USUAL_ACTS * usual
    return posterior.argmax(axis=1), np.asarray((counts > 0).any(axis=1))
