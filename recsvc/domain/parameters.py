"""Fitted parameters in and out of files: numbers by name, and refusing what no fit produces."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from recsvc.errors import DataError

REFIT = "train again with this release"


def read_numbers(what: str, values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, float]:
    """Named numbers from a JSON object; anything else in it is left alone.

    Raises
    ------
    DataError
        If one is missing, or not a number.

    Examples
    --------
    >>> read_numbers("clock", {"p": 2, "q": 1.5}, ("p", "q"))
    {'p': 2.0, 'q': 1.5}
    """
    try:
        return {name: float(values[name]) for name in names}
    except (KeyError, TypeError, ValueError) as problem:
        raise DataError(what, f"a parameter is missing or not a number: {problem}", REFIT) from None


def validate_positive(what: str, values: Mapping[str, float]) -> None:
    """Refuse parameters that are not finite and above 0.

    Raises
    ------
    DataError
        If any is not.
    """
    if not all(math.isfinite(value) and value > 0 for value in values.values()):
        raise DataError(what, f"all parameters must be finite and above 0, not {dict(values)}", REFIT)
