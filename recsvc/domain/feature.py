"""One column of the matrix a ranker sees: a name, what it means, and how it is computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from recsvc.domain.arrays import Vector

Facts = TypeVar("Facts")


@dataclass(frozen=True, slots=True)
class Feature(Generic[Facts]):
    """One column; `compute` gives one finite number a pair."""

    name: str
    meaning: str
    compute: Callable[[Facts], Vector]
