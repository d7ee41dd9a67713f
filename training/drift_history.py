"""Which earlier bundles a training is compared with, and what became of the predictions of one whose horizon is over.

The result depends on what was live before, so it is never part of a bundle: a bundle is a function of its data.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsvc.bundle.reader import CUSTOMER_TABLE, day_number
from recsvc.bundle.store import BundleFolder, BundleStore
from recsvc.errors import BundleError
from recsvc.serving.customer_state import moment_of
from training.calibration import Calibration, calibration, in_words
from training.drift import STEADY, Movement, movements
from training.drift_statistics import Snapshot, read_statistics
from training.tables import Prepared

FIRST = "nothing was live before"
FORGETFUL = "the live bundle, {}, does not say what its data looked like"
LATER = "the live bundle, {}, is as of a later day"


@dataclass(frozen=True, slots=True)
class Predictions:
    """What an earlier bundle said of P(return), and what then happened."""

    bundle_id: str
    as_of: str
    calibration: Calibration

    def in_words(self) -> str:
        """One sentence, without its full stop."""
        return f"Of the {self.calibration.n:,} customers of {self.bundle_id}, {in_words(self.calibration)}"


@dataclass(frozen=True, slots=True)
class Drift:
    """What moved since the bundle that was live; without one, `reason` says why there is nothing to compare.

    Attributes
    ----------
    predictions : of the latest bundle that was live a whole horizon ago
    """

    reason: str
    bundle_id: str = ""
    as_of: str = ""
    movements: tuple[Movement, ...] = ()
    predictions: Predictions | None = None

    @property
    def moved(self) -> tuple[Movement, ...]:
        """What did not stay as it was, most of all first."""
        found = [one for one in self.movements if one.verdict != STEADY]
        return tuple(sorted(found, key=lambda one: one.verdict != "moved a lot"))

    def sentences(self) -> Iterator[str]:
        """What to tell a person, one sentence at a time, each without its full stop."""
        yield self.in_short()
        for one in self.moved:
            yield f"{one.verdict.capitalize()}: {one.words}"
        if self.predictions is not None:
            yield self.predictions.in_words()

    def in_short(self) -> str:
        """How much moved, without the full stop."""
        if not self.bundle_id:
            return f"Nothing to compare with: {self.reason}"
        moved = f"{len(self.moved)} of {len(self.movements)} figures moved" if self.moved else "nothing moved"
        season = "; sales are those of the horizon before each day, season included" if self.moved else ""
        return f"Compared with {self.bundle_id}, as of {self.as_of}, {moved}{season}"

    def to_json(self) -> dict[str, Any]:  # JSON
        """Plain values by name."""
        return asdict(self)


def drift_since(store: BundleStore, prepared: Prepared, now: Snapshot) -> Drift:
    """Compare with the live bundle, and judge the latest predictions whose horizon is over."""
    predictions = judged_predictions(store, prepared)
    live = _live(store)
    if live is None:
        return Drift(FIRST, predictions=predictions)
    name, before = live.manifest.bundle_id, read_statistics(live.path)
    if day_number(live.manifest) > now.as_of_day:
        return Drift(LATER.format(name), predictions=predictions)
    if before is None:
        return Drift(FORGETFUL.format(name), predictions=predictions)
    known = pq.read_table(live.path / CUSTOMER_TABLE, columns=["customer_id"])["customer_id"]
    missing = 1 - np.isin(known.to_pylist(), prepared.customer_ids).mean()
    found = tuple(movements(before, now, float(missing)))
    return Drift("", name, f"{live.manifest.as_of:%Y-%m-%d}", found, predictions)


def judged_predictions(store: BundleStore, prepared: Prepared) -> Predictions | None:
    """P(return) of the latest bundle that was live a whole horizon ago, or longer; part of a horizon proves nothing."""
    over = [one for one in store.lived() if _horizon_end(one) <= prepared.as_of_day]
    if not over:
        return None
    bundle = max(over, key=lambda one: (day_number(one.manifest), one.manifest.bundle_id))
    return judge_predictions(bundle, prepared)


def judge_predictions(bundle: BundleFolder, prepared: Prepared) -> Predictions:
    """Compare P(return) of a bundle with who ordered within its horizon, which is over."""
    table: pa.Table = pq.read_table(bundle.path / CUSTOMER_TABLE, columns=["customer_id", "probability_of_return"])
    lines, first = prepared.record_lines, day_number(bundle.manifest)
    within = lines.filter(lines.day >= first, lines.day < _horizon_end(bundle), lines.item_row.notnull())
    rows = within.select("customer_row").distinct().to_pyarrow()["customer_row"].to_pylist()
    returned = np.isin(table["customer_id"].to_pylist(), [prepared.customer_ids[row] for row in rows])
    found = calibration("all", table["probability_of_return"].to_numpy(), returned)
    return Predictions(bundle.manifest.bundle_id, f"{moment_of(first):%Y-%m-%d}", found)


def _horizon_end(bundle: BundleFolder) -> int:
    return day_number(bundle.manifest) + bundle.manifest.horizon_days


def _live(store: BundleStore) -> BundleFolder | None:
    with suppress(BundleError):
        return store.current()
    return None
