"""Boosted trees that order the best candidates: the only LightGBM prediction.

One thread: requests already run side by side. A row's score does not depend on the rows beside it; it is rounded all
the same, so that no later release of the library can make live and batch lists differ in the last digit.
"""

from __future__ import annotations

from pathlib import Path

import lightgbm as lgb
import numpy as np

from recsvc.domain.arrays import Factors, Vector
from recsvc.errors import BundleCorrupt

FEATURES, END = "feature_names=", "end of trees"  # of LightGBM's text format


class Trees:
    """Trees of one bundle, or fresh from training.

    The library ends the process on a damaged text, so whoever reads one from disk compares its digest first.

    Raises
    ------
    BundleCorrupt
        If the text breaks off, or was fitted on other features than `names`.
    """

    def __init__(self, text: str, names: tuple[str, ...], where: str = "training") -> None:
        if END not in text:  # the library would read on
            raise BundleCorrupt(where, "ranker.txt is not all there")
        if FEATURES + " ".join(names) not in text.partition(END)[0].splitlines():
            raise BundleCorrupt(where, "ranker.txt was fitted on other features than this release computes")
        self._booster = lgb.Booster(model_str=text)

    @classmethod
    def from_file(cls, path: Path, names: tuple[str, ...]) -> Trees:
        """Read `ranker.txt` of a bundle."""
        return cls(path.read_text("utf-8"), names, path.parent.name)

    def score(self, matrix: Factors) -> Vector:
        """Ranking score of each pair; shape (n_pairs,). Comparable within one customer only."""
        if not len(matrix):
            return np.zeros(0)
        found: Vector = np.asarray(self._booster.predict(matrix, num_threads=1), np.float64)
        return np.round(found, 9)

    def contributions(self, matrix: Factors) -> Vector:
        """What each feature adds to the score (SHAP values); shape (n_pairs, n_features).

        References
        ----------
        Lundberg et al. (2020), From local explanations to global understanding with explainable AI for trees
        """
        if not len(matrix):
            return np.zeros(matrix.shape)
        with_base = np.asarray(self._booster.predict(matrix, pred_contrib=True, num_threads=1), np.float64)
        return with_base[:, :-1]
