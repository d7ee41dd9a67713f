"""Complaints, low satisfaction and returns: what may have gone wrong shortly before a customer left."""

from __future__ import annotations

from typing import Final

import numpy as np

from recsvc.domain.touchpoints import KINDS, Touchpoints
from training.churn_evidence import Troubles

ALWAYS: Final = ("complaint", "return")
LOW: Final = {"nps": 6.0, "csat": 0.5}  # at most: a detractor (Reichheld 2003), and rather not satisfied


def troubles_of(touchpoints: Touchpoints) -> Troubles | None:
    """Troubles of a batch; None where nothing of the kind is on record.

    Examples
    --------
    >>> day, kind = np.array([1, 2, 3], np.int32), np.array([KINDS.index("nps")] * 3, np.int8)
    >>> scores = Touchpoints(np.array([0, 3]), day, kind, np.array([9, 6, 0], np.float32))
    >>> troubles_of(scores).day
    array([2, 3], dtype=int32)
    """
    trouble = np.isin(touchpoints.kind, [KINDS.index(name) for name in ALWAYS])
    for name, most in LOW.items():
        trouble |= (touchpoints.kind == KINDS.index(name)) & (touchpoints.value <= most)
    if not trouble.any():
        return None
    return Troubles(touchpoints.customer()[trouble], touchpoints.day[trouble])
