"""What is known beside orders helps, leaks nothing, changes nothing else, and is nowhere without a table."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from recsvc.bundle.reader import ATTRIBUTES, FACTORS, GRAM, INDEX, ITEMS, LAPSE, RANKER, RETURN_MODEL, VALUE
from recsvc.domain.arrays import Mask, Vector
from recsvc.domain.history import Histories, concatenate
from recsvc.domain.lapse import LapseThresholds
from recsvc.domain.touchpoints import KINDS
from recsvc.serving.recommender import Recommender
from tests.contract.test_determinism import bundle_files, with_column
from tests.domain.record_strategies import plain
from tests.trained import SIZE, Trained, train, write_shop
from training import trainer
from training.past_windows import past_windows, window_at
from training.return_value import fit_return_model
from training.synth import SynthSize
from training.transactions import MBG_NBD

TOUCHED = SynthSize(SIZE.customers, SIZE.items, SIZE.lines, SIZE.seed, touchpoints=True)
AS_OF, CUT_OFF = datetime(2025, 11, 15), "2025-09-16"  # noqa: DTZ001  the files hold local times without a zone
DATES = {"contacts": "sent_at", "events": "occurred_at", "feedback": "occurred_at"}
HORIZON_DAYS = 60
UNTOUCHED = (ITEMS, FACTORS, INDEX, GRAM, VALUE, LAPSE, RANKER)


def write_touched(folder: Path) -> Path:
    config = write_shop(folder, TOUCHED)
    customers = pq.read_table(folder / "orders" / "part-0000.parquet", columns=["customer_id"])["customer_id"]
    ids = pc.unique(customers.cast(pa.string())).sort()
    table = {"customer_id": ids, "consent_email": [n % 2 == 0 for n in range(len(ids))], "name": ["secret"] * len(ids)}
    pq.write_table(pa.table(table), folder / "customers.parquet")
    config.write_text(f'{config.read_text("utf-8")}\n[customers]\npath = "customers.parquet"\n', "utf-8")
    return config


def train_past(config: Path, artifacts: Path) -> Trained:
    return train(config, artifacts, as_of=f"{AS_OF:%Y-%m-%d}", backtest__as_of=[CUT_OFF])


@pytest.fixture(scope="module")
def touched(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The shop of `trained`, with contacts, events, feedback and customers."""
    folder = tmp_path_factory.mktemp("touched")
    return train(write_touched(folder), folder / "artifacts")


def records_of(trained: Trained) -> Histories:
    return concatenate(list(trained.recommender().bundle.customers.batches()))


def test_training_twice_with_every_table_gives_the_same_bundle(touched: Trained, tmp_path: Path) -> None:
    again = train(write_touched(tmp_path / "elsewhere"), tmp_path / "artifacts")

    assert again.bundle_id == touched.bundle_id
    assert bundle_files(again) == bundle_files(touched)


def test_what_happened_on_or_after_the_cut_off_leaks_into_no_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "LABEL_DAYS", 1)  # a ranker too may know nothing; one day teaches it as well
    config = write_touched(tmp_path)
    past = train_past(config, tmp_path / "before")
    for name, at in DATES.items():
        replace_the_future(tmp_path / name / "part-0000.parquet", at)

    again = train_past(config, tmp_path / "after")

    assert int(records_of(again).touchpoints.day.max()) == again.recommender().bundle.items.as_of_day - 1
    files = bundle_files(past)
    assert [name for name, content in bundle_files(again).items() if content != files[name]] == []
    assert again.bundle_id == past.bundle_id
    assert again.outcome.targeting == past.outcome.targeting is not None


def replace_the_future(part: Path, at: str) -> None:
    """Other rows on and after the day: of other customers, some gone; and opens and clicks of earlier contacts."""
    rows = pq.read_table(part)
    day = pa.scalar(AS_OF, rows.schema.field(at).type)
    later = pc.greater_equal(rows[at], day)
    past, future = rows.filter(pc.invert(later)), rows.filter(later).slice(20)
    assert len(future) > 20
    mixed = pa.array(np.random.default_rng(11).permutation(len(future)))
    future = with_column(future, "customer_id", future["customer_id"].take(mixed))
    for name in {"opened_at", "clicked_at"} & set(rows.column_names):
        past = with_column(past, name, pc.if_else(pc.less(past[name], day), past[name], future[name][0]))
    pq.write_table(pa.concat_tables([future, past]), part)


def test_the_tables_change_whom_to_win_back_and_nothing_else(touched: Trained, trained: Trained) -> None:
    with_tables, without = bundle_files(touched), bundle_files(trained)

    assert [name for name in UNTOUCHED if with_tables[name] != without[name]] == []
    assert with_tables[RETURN_MODEL] != without[RETURN_MODEL]
    assert set(with_tables) - set(without) == {ATTRIBUTES}
    kept = ("order_day", "order_amount", "line_day", "line_item", "line_quantity", "line_amount")
    for one, other in zip(plain(records_of(touched)), plain(records_of(trained)), strict=True):
        assert {name: one[name] for name in kept} == {name: other[name] for name in kept}


def test_without_the_tables_only_what_orders_say_is_on_record(trained: Trained, touched: Trained) -> None:
    kinds = {KINDS[kind] for kind in np.unique(records_of(trained).touchpoints.kind)}

    assert kinds == {"return"}
    everything = {KINDS[kind] for kind in np.unique(records_of(touched).touchpoints.kind)}
    assert everything == {
        "return",
        "view",
        "cart",
        "visit",
        "contact",
        "open",
        "click",
        "nps",
        "complaint",
        "sentiment",
    }


def test_consent_is_in_the_bundle_and_what_nobody_asked_for_is_not(touched: Trained, trained: Trained) -> None:
    attributes = touched.recommender().bundle.attributes

    assert attributes is not None
    assert attributes.column_names == ["customer_id", "consent_email"]
    assert len(attributes) == touched.outcome.manifest.shapes.customers
    assert trained.recommender().bundle.attributes is None


def test_a_customer_has_the_habits_of_their_row(recommender: Recommender) -> None:
    rows = recommender.bundle.customer_table.select(["customer_id", "best_hour", "best_channel"]).to_pylist()

    for row in rows:
        habit = recommender.bundle.customers.habit(row["customer_id"])
        assert (habit.best_hour, habit.best_channel) == (row["best_hour"], row["best_channel"])
    assert {row["best_hour"] for row in rows} <= set(range(8, 20))


def test_returns_are_foretold_better_with_the_tables_than_without(touched: Trained, trained: Trained) -> None:
    with_tables, without = later_log_loss(touched), later_log_loss(trained)

    assert with_tables < 0.9 * without


def later_log_loss(trained: Trained) -> float:
    """Log loss of P(return) over the last horizon, by a model that was fitted before it began."""
    records, as_of_day = records_of(trained), trained.recommender().bundle.items.as_of_day
    day, thresholds = as_of_day - HORIZON_DAYS, LapseThresholds()
    model = fit_return_model(past_windows(records, thresholds, HORIZON_DAYS, day, MBG_NBD), HORIZON_DAYS)
    later = window_at(records, thresholds, HORIZON_DAYS, day, MBG_NBD)
    return log_loss(model.probability_of_return(later.features), later.returned)


def log_loss(probability: Vector, returned: Mask) -> float:
    return float(-np.log(np.where(returned, probability, 1.0 - probability)).mean())
