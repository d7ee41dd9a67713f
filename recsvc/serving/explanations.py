"""Why an item stands where it stands, for whoever looks after the engine: who proposed it, and what each feature added.

`reasons` are for the customer; these are the figures themselves.
"""

from __future__ import annotations

import numpy as np

from recsvc.domain.arrays import Counts, Vector
from recsvc.domain.features import BLEND_NAMES, TREE_NAMES
from recsvc.serving.scoring import Scored, Scorer
from recsvc.serving.slate import Explanation, FeatureEffect


def explanations(scored: Scored, chosen: Counts, scorer: Scorer) -> list[Explanation]:
    """Explain the items at some positions of the ranked candidates, all of one customer."""
    if not len(chosen):
        return []
    stage = scorer.stage(scored, int(scored.pairs.customer[chosen[0]]))
    names = TREE_NAMES if stage == "trees" else BLEND_NAMES
    matrix = scored.matrix[chosen].astype(np.float64)
    added = scorer.contributions(scored, chosen, stage)
    return [
        Explanation(
            sources=_sources(scored, int(position)),
            ranked_by=stage,
            blend_score=float(scored.blend_scores[position]),
            features=_effects(names, values, effects),
        )
        for position, values, effects in zip(chosen, matrix, added, strict=True)
    ]


def _sources(scored: Scored, position: int) -> tuple[str, ...]:
    proposals = scored.considered.proposals
    return tuple(np.array(proposals.names)[proposals.by[scored.kept[position]]].tolist())


def _effects(names: tuple[str, ...], values: Vector, effects: Vector) -> tuple[FeatureEffect, ...]:
    """Every feature that added or took away something, the strongest first; ties in order of the features."""
    strongest = np.lexsort((np.arange(len(effects)), -np.abs(effects)))
    return tuple(
        FeatureEffect(names[n], round(float(values[n]), 6), round(float(effects[n]), 6))
        for n in strongest
        if effects[n] != 0
    )
