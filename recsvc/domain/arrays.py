"""Array types: the alias says the dtype, the docstring where it is used says shape, unit and range."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Factors = NDArray[np.float32]
Floats = NDArray[np.float32]
Rows = NDArray[np.int32]
Days = NDArray[np.int32]
Counts = NDArray[np.int64]
Offsets = NDArray[np.int64]
Money = NDArray[np.int64]
Mask = NDArray[np.bool_]
AnyArray = NDArray[Any]  # for functions that only move elements about


def frozen(array: AnyArray) -> AnyArray:
    """Make an array read-only, and return it."""
    array.flags.writeable = False
    return array
