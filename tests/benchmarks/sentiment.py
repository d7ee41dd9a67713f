"""How well sentiment tells praise from complaints, on our own sentences in `tests/training/reviews`.

.venv/bin/python -m tests.benchmarks.sentiment
"""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.training.reviews import read_reviews, separation
from training.sentiment import LANGUAGES, judge_texts

LABELS = ("positive", "negative", "neutral")


def main() -> None:
    """Print one row a language."""
    headings = ("language", "texts", "not judged", "AUC", "right sign", *(f"mean, {label}" for label in LABELS))
    table = Table(*headings, title="Sentiment: praise against complaints")
    for language in LANGUAGES:
        reviews = read_reviews(language)
        found = judge_texts(reviews.texts)
        scores, labels = found.sentiment, reviews.labels
        right = np.concatenate([scores[labels == "positive"] > 0, scores[labels == "negative"] < 0]).mean()
        means = (f"{scores[labels == label].mean():+.2f}" for label in LABELS)
        figures = (f"{separation(scores, labels):.3f}", f"{right:.2f}", *means)
        table.add_row(language, str(len(scores)), str(found.n_not_judged), *figures)
    Console(highlight=False).print(table)


if __name__ == "__main__":
    main()
