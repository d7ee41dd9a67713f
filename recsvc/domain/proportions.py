"""Shares and how sure one can be of them."""

from __future__ import annotations

from typing import Final

import numpy as np

Z: Final = 1.959963984540054  # of a two-sided 95 % interval


def wilson(share: float, n: float) -> tuple[float, float]:
    """95 % interval of a share among `n`.

    References
    ----------
    Wilson (1927), JASA 22(158)

    Examples
    --------
    >>> [round(end, 3) for end in wilson(0.1, 50)]
    [0.043, 0.214]
    """
    middle, spread = share + Z**2 / (2 * n), Z * np.sqrt(share * (1 - share) / n + (Z / (2 * n)) ** 2)
    scale = 1 + Z**2 / n
    return max(float((middle - spread) / scale), 0.0), min(float((middle + spread) / scale), 1.0)
