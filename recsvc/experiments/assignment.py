"""Drawing lots: who is held out of everything, and which arm of a campaign a customer is in.

A lot is a keyed hash of the customer's id, so it depends neither on the order of customers nor on who else there is,
and the same question always has the same answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from recsvc.domain.arrays import Counts, Mask, Vector

LOT_BYTES = 8


def lots(customer_ids: Iterable[str], salt: str) -> Vector:
    """A number in [0, 1) for each customer, uniform over customers; shape (n_customers,).

    Parameters
    ----------
    salt
        Another one draws again, independently.

    Examples
    --------
    >>> lots(["7", "8", "7"], "spring").round(3).tolist()
    [0.537, 0.175, 0.537]
    """
    key = hashlib.blake2b(salt.encode()).digest()
    ids = (one.encode("utf-8", "surrogatepass") for one in customer_ids)
    digests = (hashlib.blake2b(one, digest_size=LOT_BYTES, key=key).digest() for one in ids)
    whole = np.frombuffer(b"".join(digests), ">u8")
    return (whole >> np.uint64(11)).astype(np.float64) / 2**53


def held_out_of_everything(customer_ids: Iterable[str], share: float, salt: str) -> Mask:
    """The global holdout: who is contacted by no campaign at all; shape (n_customers,).

    Parameters
    ----------
    share : in [0, 1]
    salt
        Of the shop and the period, such as "shop-2026": the next period draws anew.
    """
    return lots(customer_ids, f"holdout/{salt}") < share


def draw_arms(lot: Vector, stratum: Counts, shares: Sequence[float]) -> Counts:
    """Arms of exact size within every stratum, as far as whole customers allow.

    Parameters
    ----------
    lot : shape (n_customers,)
        As `lots` draws them.
    stratum : shape (n_customers,), integers
    shares : sum to at most 1
        Of the arms 1, 2, ...; everybody else is in arm 0. An arm has within one customer of its share in all strata
        together, and in each of them.

    Returns
    -------
    shape (n_customers,), int64

    Examples
    --------
    >>> draw_arms(lots(map(str, range(20)), "x"), np.repeat([0, 1], 10), [0.1, 0.3]).reshape(2, 10).tolist()
    [[0, 0, 2, 0, 0, 2, 0, 0, 1, 2], [1, 0, 2, 0, 0, 0, 0, 0, 2, 2]]
    """
    order = np.lexsort((lot, stratum))
    begins = np.flatnonzero(np.diff(stratum[order], prepend=stratum.min(initial=0) - 1))
    drawn = [_arms(begin, end, np.cumsum(shares)) for begin, end in pairwise([*begins.tolist(), len(order)])]
    arm = np.zeros(len(order), np.int64)
    arm[order] = np.concatenate(drawn) if drawn else 0
    return arm


def _arms(begin: int, end: int, bounds: Vector) -> Counts:
    """Arms of the places from `begin` to `end` of the line on which all strata lie one behind the other.

    What rounding gives one stratum too much it takes from the next, so that all of them together come out right.
    """
    ends = np.floor(bounds * end + 0.5) - np.floor(bounds * begin + 0.5)
    arm: Counts = 1 + np.searchsorted(np.maximum.accumulate(ends), np.arange(end - begin), side="right")
    return np.where(arm > len(bounds), 0, arm)
