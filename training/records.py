"""From ordered lines to customer records on disk, a bounded number of customers at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from recsvc.bundle.customers import CustomersWriter
from recsvc.domain.history import Histories, Lines, build_histories
from recsvc.domain.ids import digest_of
from recsvc.domain.rfm import Gaps, Rfm, gaps, rfm
from recsvc.domain.touchpoints import Touchpoints
from training.holdout import Holdout, hold_out

MISSING = -1  # of a service line's item row, inside the digest only
TOUCHPOINTS = pa.schema({"customer_row": pa.int32(), "day": pa.int32(), "kind": pa.int8(), "value": pa.float64()})
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

    def of(self, rows: Iterator[pa.RecordBatch], prefix: str = "") -> Iterator[pa.RecordBatch]:
        """Pass the rows on, remembering them; another kind of rows has another prefix."""
        for batch in rows:
            for name in batch.schema.names if batch.num_rows else ():
                values = batch[name].fill_null(MISSING).to_numpy()
                self._columns.setdefault(f"{prefix}{name}", hashlib.sha256()).update(values.tobytes())
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


def with_touchpoints(batches: Iterator[Histories], rows: Iterator[pa.RecordBatch]) -> Iterator[Histories]:
    """Records of all customers in order of row, with the touchpoints of a stream ordered by customer row.

    No more of the stream is held than a batch of customers needs.
    """
    held, end = [TOUCHPOINTS.empty_table()], 0
    for histories in batches:
        first, end = end, end + len(histories)
        while _last_row(held[-1]) < end and (batch := next(rows, None)) is not None:
            held.append(pa.Table.from_batches([batch]).cast(TOUCHPOINTS))
        known = pa.concat_tables(held)
        cut = int(np.searchsorted(known["customer_row"].to_numpy(), end))
        yield replace(histories, touchpoints=_touchpoints(known.slice(0, cut), first, len(histories)))
        held = [known.slice(cut)]


def _last_row(rows: pa.Table) -> int:
    return int(rows["customer_row"][-1].as_py()) if rows.num_rows else -1


def _touchpoints(rows: pa.Table, first: int, n_customers: int) -> Touchpoints:
    customer = rows["customer_row"].to_numpy() - first
    return Touchpoints(
        offsets=np.searchsorted(customer, np.arange(n_customers + 1)).astype(np.int64),
        day=rows["day"].to_numpy(),
        kind=rows["kind"].to_numpy(),
        value=rows["value"].to_numpy().astype(np.float32),
    )


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
