"""The linear blend: standardised features times weights fitted on past returns.

It chooses the candidates that the trees order, and ranks by itself where there is too little data to learn more from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.errors import DataError


@dataclass(frozen=True, slots=True)
class RankedBy:
    """Which of the two orders the list, and why; part of `ranker.json`."""

    by_trees: bool
    why: str

    def to_json(self) -> dict[str, Any]:  # JSON
        """Plain data that `from_json` reads back."""
        return {"ranked_by": "trees" if self.by_trees else "blend", "why": self.why}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RankedBy:
        """Read what `to_json` wrote; bundles from before there were trees say nothing, and the blend ranks them."""
        return cls(data.get("ranked_by") == "trees", str(data.get("why", "made before there were trees")))


@dataclass(frozen=True, slots=True)
class LinearBlend:
    """Weights of a linear ranking score.

    Attributes
    ----------
    features : names, in the order of the columns
    mean, scale, weight : shape (n_features,); `scale` above 0
    """

    features: tuple[str, ...]
    mean: Vector
    scale: Vector
    weight: Vector

    def score(self, matrix: Vector) -> Vector:
        """Ranking score of each pair; shape (n_pairs,). Comparable within one customer only.

        Rounded to nine digits, so that the order of a sum cannot decide between equal items.
        """
        total: Vector = self.contributions(matrix).sum(axis=1)
        return np.round(total, 9)

    def contributions(self, matrix: Vector) -> Vector:
        """What each feature adds to the score; shape (n_pairs, n_features)."""
        return (matrix - self.mean) / self.scale * self.weight

    def to_json(self) -> dict[str, Any]:  # JSON of numbers and lists
        """Plain data that `from_json` reads back."""
        return {
            "kind": "linear_blend",
            "features": list(self.features),
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "weight": self.weight.tolist(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], expected: tuple[str, ...]) -> LinearBlend:
        """Read a blend written by `to_json`.

        Raises
        ------
        DataError
            If it was fitted on other features than this release computes.
        """
        if tuple(data["features"]) != expected:
            raise DataError("ranker.json", "it was fitted on other features than this release computes", "train again")
        return cls(expected, *(np.array(data[key], np.float64) for key in ("mean", "scale", "weight")))
