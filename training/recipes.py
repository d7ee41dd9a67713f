"""Recipes of bundles that were live, for a new recipe to be measured against.

A bundle as of today has no future to be scored on, so recipes are compared, not bundles: the settings of an earlier
bundle are trained again on today's data, at the same past cut-offs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from recsvc.bundle.store import BundleStore
from training.config import TrainingConfig
from training.config_recipe import OF_RULES

RECIPE = "recipe.json"
SETTINGS = ("catalogue", "als", "value", "lapse", "ranking", "ranker")
QUESTION = ("horizon_days", "item_level")  # recipes that answer different questions are not compared
LIVES = 5  # bundles looked back on, so that losses too small to refuse do not add up
MAX_RIVALS = 2  # each costs a back-test

Recipe = Mapping[str, Any]  # JSON


@dataclass(frozen=True, slots=True)
class Rival:
    """An earlier recipe, as a config for today's data.

    Attributes
    ----------
    bundle_id : the latest live bundle made by it
    changed : what is different now, such as `als.factors 64 -> 32`
    """

    bundle_id: str
    config: TrainingConfig
    changed: tuple[str, ...]


def recipe_of(config: TrainingConfig) -> Recipe:
    """Settings that decide what is learned; not where the data is, what the machine may use, or what rules want."""
    recipe = config.model_dump(mode="json", include={*SETTINGS, *QUESTION})
    return recipe | {"ranking": {name: value for name, value in recipe["ranking"].items() if name not in OF_RULES}}


def rivals(store: BundleStore, config: TrainingConfig) -> list[Rival]:
    """Recipes other than ours of the latest live bundles, the latest first; none where all were made as we do."""
    found: list[Rival] = []
    for rival in _earlier(store, config):
        if rival.changed and rival.changed not in [one.changed for one in found]:
            found.append(rival)
    return found[:MAX_RIVALS]


def differences(before: Recipe, now: Recipe) -> tuple[str, ...]:
    """Settings that are not the same, each as `name before -> now`.

    Examples
    --------
    >>> differences({"als": {"factors": 64, "alpha": 1.0}}, {"als": {"factors": 32, "alpha": 1.0}})
    ('als.factors 64 -> 32',)
    """
    old, new = dict(_flat(before)), dict(_flat(now))
    return tuple(
        f"{name} {old.get(name)} -> {new.get(name)}" for name in sorted({*old, *new}) if old.get(name) != new.get(name)
    )


def _earlier(store: BundleStore, config: TrainingConfig) -> Iterator[Rival]:
    ours = recipe_of(config)
    for bundle in reversed(store.lived()[-LIVES:]):
        recipe = _read(bundle.path / RECIPE)
        if recipe is None or any(recipe.get(name) != ours[name] for name in QUESTION):
            continue
        with suppress(ValidationError):  # a setting that this release does not know
            settings = {name: type(getattr(config, name)).model_validate(recipe.get(name, {})) for name in SETTINGS}
            theirs = config.model_copy(update=settings)
            yield Rival(bundle.manifest.bundle_id, theirs, differences(recipe_of(theirs), ours))


def _read(path: Path) -> Recipe | None:
    """Recipe of a bundle; None for those from before there were any."""
    if not path.is_file():
        return None
    content: Recipe = orjson.loads(path.read_bytes())
    return content


def _flat(recipe: Recipe) -> Iterator[tuple[str, object]]:
    for name, value in recipe.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{key}", setting) for key, setting in value.items())
        else:
            yield name, value
