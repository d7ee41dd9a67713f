"""Real bundles for tests, made by the pipeline that retailers run, on shops small enough to train in seconds."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.progress import Progress as Bar

from recsvc.bundle.manifest import read_manifest
from recsvc.bundle.reader import REPORT, Bundle, open_bundle
from recsvc.bundle.store import BundleFolder, BundleStore, file_entry
from recsvc.serving.recommender import Recommender
from training.config import TrainingConfig, load_config
from training.pipeline import Outcome, Plan, day_number, fit
from training.progress import Progress
from training.synth import SynthSize, write_synth
from training.tables import Prepared

SIZE = SynthSize(customers=500, items=80, lines=20_000, seed=7)
CREATED_AT = datetime(2026, 1, 1, 3, tzinfo=UTC)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SMALL = """
horizon_days = 60
[backtest]
as_of = [2025-11-01]
[als]
factors = 8
iterations = 5
"""


@dataclass(frozen=True, slots=True)
class Trained:
    """A shop, and the artifacts of one fit on it."""

    config_file: Path
    config: TrainingConfig
    artifacts: Path
    outcome: Outcome

    @property
    def bundle_id(self) -> str:
        return self.outcome.manifest.bundle_id

    @property
    def store(self) -> BundleStore:
        return BundleStore(self.artifacts)

    def recommender(self) -> Recommender:
        return Recommender(open_bundle(self.store.current()))


def write_shop(folder: Path, size: SynthSize = SIZE) -> Path:
    """Synthetic orders with a config that trains quickly; the path of the config."""
    config = write_synth(size, folder)
    head = config.read_text(encoding="utf-8").partition("[backtest]")[0].replace("horizon_days = 90\n", "")
    config.write_text(_merged(head, SMALL), encoding="utf-8")
    return config


def train(config_file: Path, artifacts: Path, *, as_of: str | None = None, **overrides: object) -> Trained:
    """Fit as the command does, without its terminal; `overrides` write `als__factors` for `als.factors`."""
    config = load_config(config_file, {name.replace("__", "."): value for name, value in overrides.items()})
    day = datetime.fromisoformat(as_of).date() if as_of else config.as_of
    assert day is not None
    plan = Plan(day_number(day), CREATED_AT)
    return Trained(config_file, config, artifacts, fit(config, plan, BundleStore(artifacts), silence()))


def with_another(trained: Trained, folder: Path) -> BundleStore:
    """A copy of the artifacts: the trained bundle live, and another one beside it, a year younger, that is not."""
    shutil.copytree(trained.artifacts, folder)
    store = BundleStore(folder)
    add_another(store)
    return store


def add_another(store: BundleStore) -> None:
    """Put a copy of the live bundle beside it, with another report and a year younger, which is not live."""
    live = store.current()
    with store.staging() as staged:
        for name in live.manifest.files:
            shutil.copyfile(live.path / name, staged / name)
        (staged / REPORT).write_text("{}")
        later = live.manifest.created_at.replace(year=live.manifest.created_at.year + 1)
        store.add(staged, live.manifest.model_copy(update={"files": {}, "created_at": later}))


def reopened(trained: Trained, folder: Path, *missing: str) -> Bundle:
    """The trained bundle from a folder that was changed after it was copied."""
    manifest = read_manifest(trained.artifacts / trained.bundle_id)
    files = {name: file_entry(folder / name) for name in manifest.files if name not in missing}
    return open_bundle(BundleFolder(folder, manifest.model_copy(update={"files": files})))


def silence() -> Progress:
    """Progress nobody sees."""
    return Progress(Bar(disable=True))


def files_of(folder: Path) -> dict[str, bytes]:
    """Content of every file of a folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def lines_of(prepared: Prepared) -> list[dict[str, object]]:
    """Record lines as plain rows, in their order."""
    rows: list[dict[str, object]] = prepared.record_lines.to_pyarrow().to_pylist()
    return rows


def write_orders(folder: Path, rows: Sequence[Sequence[object]]) -> None:
    """Order lines (customer, item, day, quantity, price) as CSV, each with an order number of its own."""
    header = "order_id,customer_id,item_id,ordered_at,quantity,unit_price"
    text = "\n".join(",".join(map(str, (number, *row))) for number, row in enumerate(rows))
    (folder / "orders.csv").write_text(f"{header}\n{text}\n", encoding="utf-8")


def _merged(head: str, settings: str) -> str:
    """Settings of the top level before the first section, the sections behind the rest."""
    top, _, sections = settings.partition("[")
    return f"{top}{head}[{sections}"
