"""What customers of a shop might write: our own sentences, labelled before any library was tried on them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsvc.domain.arrays import AnyArray, Vector

FOLDER = Path(__file__).parent / "reviews"


@dataclass(frozen=True, slots=True)
class Reviews:
    """Texts of one language and their labels: positive, negative or neutral."""

    texts: tuple[str, ...]
    labels: AnyArray


def read_reviews(language: str) -> Reviews:
    """Texts of a language."""
    with (FOLDER / f"{language}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Reviews(tuple(row["text"] for row in rows), np.array([row["label"] for row in rows]))


def separation(scores: Vector, labels: AnyArray) -> float:
    """AUC: how often a positive text scores above a negative one, ties half."""
    positive, negative = scores[labels == "positive"][:, None], scores[labels == "negative"]
    return float(np.mean(positive > negative) + np.mean(positive == negative) / 2)
