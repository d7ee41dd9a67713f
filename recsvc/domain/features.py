"""The one set of features: what is known of a (customer, item) pair when it is ranked, as columns.

Training, back-test, batch output and live requests all call `blend_matrix` and `tree_matrix`. A feature that needs
anything else than the record, the shop and the taste vector does not belong here.
"""

from __future__ import annotations

import numpy as np

from recsvc.domain.arrays import Factors, Vector
from recsvc.domain.blend_features import BLEND_FEATURES
from recsvc.domain.detail_features import DETAIL_FEATURES
from recsvc.domain.details import Details
from recsvc.domain.signals import Signals

BLEND_NAMES = tuple(feature.name for feature in BLEND_FEATURES)
TREE_NAMES = (*BLEND_NAMES, *(feature.name for feature in DETAIL_FEATURES))


def blend_matrix(facts: Signals) -> Vector:
    """Columns of `BLEND_NAMES`, for every candidate; shape (n_pairs, n_features), finite."""
    return np.stack([feature.compute(facts) for feature in BLEND_FEATURES], axis=1)


def tree_matrix(blend_columns: Vector, facts: Details) -> Factors:
    """Columns of `TREE_NAMES`, for the candidates the trees order; shape (n_pairs, n_features), float32, finite.

    `blend_columns` are those pairs' rows of `blend_matrix`.
    """
    found = np.empty((len(blend_columns), len(TREE_NAMES)), np.float32)
    found[:, : len(BLEND_NAMES)] = blend_columns
    for place, feature in enumerate(DETAIL_FEATURES, len(BLEND_NAMES)):
        found[:, place] = feature.compute(facts)
    return found
