"""Drift over real trainings: what is compared with what, and that none of it is part of a bundle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsvc.bundle.manifest import MANIFEST
from recsvc.bundle.store import BundleStore
from tests.trained import Trained, files_of, train, write_shop
from training import trainer
from training.drift_history import FIRST
from training.drift_statistics import DRIFT
from training.synth import SynthSize

SIZE = SynthSize(customers=1500, items=80, lines=60_000, seed=7)


@pytest.fixture(scope="module", autouse=True)
def _nothing_to_rank_by() -> Iterator[None]:
    """No label days: learning to rank takes half of a training, and drift does not depend on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "LABEL_DAYS", 0)
        yield


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shop(tmp_path_factory.mktemp("shop"), SIZE)


@pytest.fixture(scope="module")
def earlier(shop: Path) -> Trained:
    return train(shop, shop.parent / "artifacts", as_of="2025-10-01", backtest__as_of=["2025-07-01"])


@pytest.fixture
def artifacts(earlier: Trained, tmp_path: Path) -> Path:
    """A copy of the artifacts, in which the earlier bundle is live."""
    return shutil.copytree(earlier.artifacts, tmp_path / "artifacts")


def again(shop: Path, artifacts: Path, as_of: str) -> Trained:
    return train(shop, artifacts, as_of=as_of, backtest__as_of=["2025-07-01"])


def test_the_first_training_has_nothing_to_compare_with(earlier: Trained) -> None:
    drift = earlier.outcome.drift

    assert drift.reason == FIRST
    assert list(drift.sentences()) == [f"Nothing to compare with: {FIRST}"]


def test_a_fortnight_later_nothing_moved_and_the_predictions_are_not_judged_yet(
    shop: Path, earlier: Trained, artifacts: Path
) -> None:
    drift = again(shop, artifacts, "2025-10-15").outcome.drift

    assert (drift.bundle_id, drift.as_of) == (earlier.bundle_id, "2025-10-01")
    assert drift.moved == ()
    assert drift.predictions is None
    assert list(drift.sentences()) == [f"Compared with {earlier.bundle_id}, as of 2025-10-01, nothing moved"]


def test_when_the_horizon_is_over_the_predictions_are_compared_with_who_ordered(
    shop: Path, earlier: Trained, artifacts: Path
) -> None:
    found = again(shop, artifacts, "2025-11-30").outcome.drift.predictions

    assert found is not None
    assert found.bundle_id == earlier.bundle_id
    assert found.calibration.n == earlier.outcome.manifest.shapes.customers
    assert abs(found.calibration.predicted - found.calibration.actual) < 0.15
    assert "were expected to return" in found.in_words()


def test_the_bundle_is_the_same_whatever_was_live_before(shop: Path, artifacts: Path, tmp_path: Path) -> None:
    after, alone = (again(shop, folder, "2025-10-15") for folder in (artifacts, tmp_path / "alone"))

    assert after.outcome.drift != alone.outcome.drift
    assert after.bundle_id == alone.bundle_id
    files = [files_of(one.artifacts / one.bundle_id) for one in (after, alone)]
    assert {**files[0], MANIFEST: b""} == {**files[1], MANIFEST: b""}


def test_what_is_remembered_is_sums_and_no_customers(earlier: Trained) -> None:
    content = (earlier.artifacts / earlier.bundle_id / DRIFT).read_bytes()

    found = json.loads(content)
    assert found["volumes"]["customers"] > 0
    assert sum(found["states"].values()) == earlier.outcome.manifest.shapes.customers
    assert len(content) < 30_000
    assert earlier.recommender().bundle.customer_table["customer_id"][0].as_py() not in content.decode()


def test_an_older_bundle_that_remembers_nothing_is_no_error(shop: Path, earlier: Trained, artifacts: Path) -> None:
    (artifacts / earlier.bundle_id / DRIFT).unlink()

    drift = again(shop, artifacts, "2025-10-15").outcome.drift

    assert "does not say what its data looked like" in next(drift.sentences())


def test_a_day_before_the_live_one_is_not_compared_with_what_came_later(shop: Path, artifacts: Path) -> None:
    drift = again(shop, artifacts, "2025-09-15").outcome.drift

    assert "as of a later day" in next(drift.sentences())


def test_reports_go_with_their_bundle_when_it_is_pruned(shop: Path, earlier: Trained, artifacts: Path) -> None:
    reports = artifacts / "reports"
    reports.mkdir()
    later = again(shop, artifacts, "2025-10-15")
    for bundle_id in (earlier.bundle_id, later.bundle_id):
        (reports / f"{bundle_id}.html").write_text("page")

    BundleStore(artifacts).prune(keep=1)

    assert [path.name for path in reports.iterdir()] == [f"{later.bundle_id}.html"]
