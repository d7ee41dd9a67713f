"""What the candidate sources find: a list can hold nothing that nobody proposed for it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from recsvc.domain.arrays import Rows
from recsvc.serving.scoring import Scored

UNION = "every_source"
SHORTLIST = "shortlist"  # what is left of the union once the blend has cut it
SPLITS = ("all", "repeat", "explore")


def found_items(scored: Scored, customer: int, truth: Rows) -> Iterator[tuple[str, str, int]]:
    """How many of the items of one customer's truth each source proposed, by source and split.

    Parameters
    ----------
    scored
        A batch of customers.
    customer
        Position in the batch.
    truth : shape (n_truth,), item rows
        Those the item table does not hold are left out: nobody could have proposed them.
    """
    proposals, bought = scored.considered.proposals, scored.considered.facts.bought
    mine = slice(*np.searchsorted(proposals.pairs.customer, [customer, customer + 1]))
    hits = mine.start + np.flatnonzero(np.isin(proposals.pairs.item[mine], truth))
    ranked = np.isin(hits, scored.kept)
    by_source = np.column_stack([proposals.by[hits], np.ones(len(hits), bool), ranked])
    for split, kept in zip(SPLITS, (np.ones(len(hits), bool), bought[hits], ~bought[hits]), strict=True):
        for source, count in zip((*proposals.names, UNION, SHORTLIST), by_source[kept].sum(axis=0), strict=True):
            yield source, split, int(count)
