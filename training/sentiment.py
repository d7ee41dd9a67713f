"""Placeholder for the sentiment of texts: everything is neutral until the real one takes its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsvc.domain.arrays import Vector


def sentiment(texts: Sequence[str], languages: Sequence[str] | None = None) -> Vector:
    """Sentiment of each text, in [-1, 1]; 0 is neutral."""
    return placeholder_sentiment(texts)


def placeholder_sentiment(texts: Sequence[str]) -> Vector:
    """0 for every text."""
    return np.zeros(len(texts))
