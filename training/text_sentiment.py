"""Sentiment of the texts that came without a score: the one place where texts are read."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.expr.types import Table

from training.sentiment import sentiment
from training.session import Session

TEXT_KINDS = ("review", "social", "complaint")
BATCH = 10_000
SCHEMA = pa.schema({"source_row": pa.int64(), "sentiment": pa.float64()})


def text_sentiment(session: Session, feedback: Table) -> Table:
    """Sentiment of reviews, posts and complaints that have a text and no score: source_row, sentiment in [-1, 1].

    Texts are read a batch at a time and stay nowhere.

    Parameters
    ----------
    feedback
        Rows of `touch_tables.type_feedback` that can be used.
    """
    untold = feedback.filter(feedback.kind.isin(TEXT_KINDS), feedback.score.isnull(), feedback.text.notnull())
    path = session.folder / f"{session.new_name('sentiment')}.parquet"
    with pq.ParquetWriter(path, SCHEMA) as out:
        for batch in session.stream(untold.select("source_row", "text").order_by("source_row"), BATCH):
            values = np.clip(sentiment(batch["text"].to_pylist()), -1.0, 1.0)
            out.write_batch(pa.record_batch([batch["source_row"], pa.array(values, pa.float64())], schema=SCHEMA))
    return session.backend.read_parquet(path, table_name=path.stem)
