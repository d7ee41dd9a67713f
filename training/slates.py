"""The last file of a bundle: what every customer is answered by default, ranked by the recommender that serves."""

from __future__ import annotations

from collections.abc import Iterator

from recsvc.bundle.reader import SLATES
from recsvc.bundle.slates import STRANGER, BareSlate, SlatesWriter
from recsvc.serving.recommender import BATCH, Recommender
from recsvc.serving.slate import Query
from training.progress import Progress

K = Query("").k


def write_slates(recommender: Recommender, progress: Progress) -> None:
    """Rank for everybody of whom something may be said, and for strangers, into the recommender's own folder."""
    path, n_customers = recommender.bundle.folder / SLATES, len(recommender.bundle.customers)
    with progress.step("slates") as done, SlatesWriter(path, n_customers, K) as slates:
        slates.write([(STRANGER, recommender.bare_slates([STRANGER], K)[0])])
        for number, some in enumerate(_slates(recommender)):
            slates.write(some)
            done(min((number + 1) * BATCH / n_customers, 1.0))


def _slates(recommender: Recommender) -> Iterator[list[tuple[str, BareSlate]]]:
    bundle = recommender.bundle
    for histories in bundle.customers.batches(BATCH):
        known = [one for one in histories.customer_ids if one not in bundle.not_to_be_profiled]
        yield list(zip(known, recommender.bare_slates(known, K), strict=True))
