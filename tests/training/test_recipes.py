"""Earlier recipes are found in the bundles they made, and trained again where settings changed."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest

from recsvc.bundle.store import BundleStore
from tests.trained import Trained, train
from training import trainer
from training.backtest import Replay
from training.config import TrainingConfig
from training.pipeline import compare_recipes
from training.progress import no_progress
from training.recipes import LIVES, MAX_RIVALS, RECIPE, Rival, recipe_of, rivals
from training.split import GROUPS


@pytest.fixture
def artifacts(trained: Trained, tmp_path: Path) -> Path:
    """A copy of the artifacts of one fit."""
    shutil.copytree(trained.artifacts, tmp_path / "artifacts")
    return tmp_path / "artifacts"


def with_setting(config: TrainingConfig, section: str, **settings: object) -> TrainingConfig:
    changed = getattr(config, section).model_copy(update=settings)
    return config.model_copy(update={section: changed})


def test_what_rules_want_of_slates_is_no_other_recipe(trained: Trained) -> None:
    ruled = with_setting(trained.config, "ranking", rules=("block where stock = 0",), category_cap=2)

    assert recipe_of(ruled) == recipe_of(trained.config)


def published(store: BundleStore, config: TrainingConfig) -> str:
    """Another live bundle, as if made by another recipe."""
    newest = store.lived()[-1]
    with store.staging() as staged:
        for path in newest.path.iterdir():
            if path.name != "manifest.json":
                shutil.copyfile(path, staged / path.name)
        (staged / RECIPE).write_bytes(orjson.dumps(recipe_of(config)))
        later = newest.manifest.model_copy(update={"created_at": newest.manifest.created_at + timedelta(days=1)})
        return store.add(staged, later, live=True).manifest.bundle_id


def test_the_same_recipe_has_no_rival(trained: Trained, artifacts: Path) -> None:
    assert rivals(BundleStore(artifacts), trained.config) == []


def test_what_the_machine_may_use_and_where_the_data_lies_is_no_recipe(trained: Trained) -> None:
    moved = with_setting(with_setting(trained.config, "engine", threads=1), "orders", path="elsewhere.csv")

    assert recipe_of(moved) == recipe_of(trained.config)


def test_a_rival_is_the_earlier_settings_on_todays_data(trained: Trained, artifacts: Path) -> None:
    now = with_setting(with_setting(trained.config, "als", factors=4), "orders", path="elsewhere.csv")

    (rival,) = rivals(BundleStore(artifacts), now)

    assert rival.bundle_id == trained.bundle_id
    assert rival.changed == ("als.factors 8 -> 4",)
    assert rival.config.als == trained.config.als
    assert rival.config.orders.path == "elsewhere.csv"


def test_rivals_are_the_latest_first_and_few(trained: Trained, artifacts: Path) -> None:
    store = BundleStore(artifacts)
    ids = [published(store, with_setting(trained.config, "als", factors=factors)) for factors in (5, 6, 7)]

    found = rivals(store, trained.config)

    assert len(found) == MAX_RIVALS
    assert [one.changed for one in found] == [("als.factors 7 -> 8",), ("als.factors 6 -> 8",)]
    assert {one.bundle_id for one in found} <= set(ids)


def test_only_the_latest_lives_count(trained: Trained, artifacts: Path) -> None:
    store = BundleStore(artifacts)
    for alpha in range(2, LIVES + 2):
        published(store, with_setting(trained.config, "als", alpha=float(alpha)))

    found = rivals(store, with_setting(trained.config, "als", alpha=2.0))

    assert trained.bundle_id not in [one.bundle_id for one in found]


@pytest.mark.parametrize("recipe", [None, {"horizon_days": 7}, {"als": {"factors": "many"}}, {"als": {"no_such": 1}}])
def test_bundles_that_say_nothing_comparable_are_passed_over(
    trained: Trained, artifacts: Path, recipe: dict[str, object] | None
) -> None:
    path = artifacts / trained.bundle_id / RECIPE
    if recipe is None:
        path.unlink()
    else:
        path.write_bytes(orjson.dumps({**recipe_of(trained.config), **recipe}))

    assert rivals(BundleStore(artifacts), with_setting(trained.config, "als", factors=4)) == []


def test_a_section_that_a_bundle_did_not_know_was_what_it_is_by_default(trained: Trained, artifacts: Path) -> None:
    path = artifacts / trained.bundle_id / RECIPE
    recipe = orjson.loads(path.read_bytes())
    del recipe["ranker"]
    path.write_bytes(orjson.dumps(recipe))

    assert rivals(BundleStore(artifacts), trained.config) == []


def test_a_changed_recipe_is_compared_with_the_live_one_and_the_verdict_says_how_it_did(
    trained: Trained, artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "LABEL_DAYS", 1)
    again = train(trained.config_file, artifacts, als__factors=4)

    (reason,) = again.outcome.manifest.verdict.reasons
    assert trained.bundle_id in reason
    assert "als.factors 8 -> 4" in reason
    assert again.recommender().bundle.manifest.shapes.factors == 4 or not again.outcome.published


def test_where_nobody_returned_no_recipe_is_the_better_one() -> None:
    nobody = Replay((), {name: np.zeros(0, bool) for name in GROUPS}, {})
    rival = Rival("20260101-0123456789ab", TrainingConfig(), ("als.factors 64 -> 8",))

    assert compare_recipes([rival], nobody, [], no_progress()) == ()
