"""From ordered lines to customer records on disk, a bounded number of customers at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from recsvc.bundle.customers import CustomersWriter
from recsvc.domain.history import Histories, Lines, build_histories
from recsvc.domain.ids import digest_of
from recsvc.domain.rfm import Gaps, Rfm, gaps, rfm
from training.holdout import Holdout, hold_out

MISSING = -1  # of a service line's item row, inside the digest only
Summary = TypeVar("Summary", Rfm, Gaps, Holdout)


@dataclass(frozen=True, slots=True)
class Summaries:
    """What the value and lapse fits need of all customers, in the order the records were read."""

    rfm: Rfm
    gaps: Gaps
    holdout: Holdout


def write_records(
    batches: Iterator[Histories], records: CustomersWriter, as_of_day: int, holdout_days: int
) -> Summaries:
    """Write every record, and keep the few numbers a customer that the fits need."""
    parts = []
    for histories in batches:
        records.write(histories)
        parts.append(
            Summaries(rfm(histories, as_of_day), gaps(histories), hold_out(histories, as_of_day, holdout_days))
        )
    return Summaries(
        _joined(Rfm, [part.rfm for part in parts]),
        _joined(Gaps, [part.gaps for part in parts]),
        _joined(Holdout, [part.holdout for part in parts]),
    )


class Fingerprint:
    """Digest of a stream of lines, whatever the batches it comes in."""

    def __init__(self) -> None:
        self._columns: dict[str, Any] = {}  # Any: hash objects have no public type

    def of(self, lines: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass the lines on, remembering them."""
        for batch in lines:
            for name in batch.schema.names:
                values = batch[name].fill_null(MISSING).to_numpy()
                self._columns.setdefault(name, hashlib.sha256()).update(values.tobytes())
            yield batch

    def hexdigest(self) -> str:
        """Digest of everything passed on so far."""
        return digest_of(f"{name}={digest.hexdigest()}" for name, digest in sorted(self._columns.items()))


def stream_histories(lines: Iterator[pa.RecordBatch], customer_ids: Sequence[str]) -> Iterator[Histories]:
    """Records from a stream of lines ordered by customer row, day and item row.

    A customer whose lines straddle two batches of the stream is held back until complete.
    """
    held: list[pa.RecordBatch] = []
    for batch in lines:
        if not batch.num_rows:
            continue
        rows = batch["customer_row"].to_numpy()
        cut = int(np.searchsorted(rows, rows[-1]))
        if cut or (held and held[-1]["customer_row"][-1].as_py() != rows[0]):
            complete = [*held, batch.slice(0, cut)]
            yield _histories(pa.Table.from_batches(complete), customer_ids)
            held = []
        held.append(batch.slice(cut))
    if held:
        yield _histories(pa.Table.from_batches(held), customer_ids)


def _histories(table: pa.Table, customer_ids: Sequence[str]) -> Histories:
    row = table["customer_row"].to_numpy()
    first = int(row[0])
    lines = Lines(
        day=table["day"].to_numpy(),
        item=table["item_row"].fill_null(0).to_numpy(),
        is_product=table["item_row"].is_valid().to_numpy(),
        quantity=table["quantity"].to_numpy().astype(np.float32),
        amount=table["amount"].to_numpy(),
    )
    return build_histories(customer_ids[first : int(row[-1]) + 1], (row - first).astype(np.int64), lines)


def _joined(kind: type[Summary], parts: list[Summary]) -> Summary:
    return kind(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(kind)})
