"""Whom a contact brings back, as training learned it from lots; bundles from before there were enough hold nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import lightgbm as lgb
import numpy as np
import orjson

from recsvc.bundle.reader import Bundle
from recsvc.domain.arrays import Vector
from recsvc.domain.customer_features import FEATURE_NAMES, customer_facts, customer_features
from recsvc.domain.history import Histories
from recsvc.domain.offer_lifts import OfferLift
from recsvc.errors import BundleCorrupt

UPLIFT, OFFERS = "uplift.json", "offer_lifts.json"
OfferLifts = Mapping[str, OfferLift]  # by name of the offer
Learner = Literal["t_learner", "class_transformation"]


@dataclass(frozen=True)
class UpliftModel:
    """Trees that say what a contact adds to the chance of a return.

    Attributes
    ----------
    learner
        `t_learner` is the difference of two: contacted and not; `class_transformation` is one of the class that says
        contacted and returned, or neither.
    texts
        Each in LightGBM's own format.
    """

    learner: Learner
    texts: tuple[str, ...]

    def __call__(self, seen: Vector) -> Vector:
        """Uplift of each customer; shape (n_customers,), in [-1, 1].

        Parameters
        ----------
        seen : shape (n_customers, n_features)
        """
        found = [np.asarray(one.predict(seen, num_threads=1), np.float64) for one in self._boosters]
        return found[0] - found[1] if self.learner == "t_learner" else 2 * found[0] - 1

    @cached_property
    def _boosters(self) -> list[lgb.Booster]:
        return [lgb.Booster(model_str=text) for text in self.texts]


@dataclass(frozen=True, slots=True)
class Learned:
    """What was learned from lots, and from how many.

    Attributes
    ----------
    qini : by learner, cross-fitted; extra returns for each customer, above contact by lot
    campaigns, customers, returned : count; `customers` counts somebody once a campaign
    first_on, last_on : ISO dates of the campaigns
    """

    model: UpliftModel
    qini: Mapping[str, float]
    campaigns: int
    customers: int
    returned: int
    first_on: str
    last_on: str

    def to_json(self) -> dict[str, Any]:  # JSON
        """Content of `uplift.json`; the trees have files of their own."""
        told = {name: getattr(self, name) for name in self.__slots__ if name != "model"}
        return {**told, "qini": dict(self.qini), "learner": self.model.learner, "features": list(FEATURE_NAMES)}

    def in_words(self) -> str:
        """What it rests on, in one sentence."""
        gained = 1_000 * self.qini[self.model.learner]
        return (
            f"Whom a contact changes is learned from {self.customers:,} contacts and hold-outs of {self.campaigns} "
            f"campaigns ({self.first_on} to {self.last_on}); in its order, on customers not learned from, contacts "
            f"win {gained:.1f} more of 1,000 than by lot"
        )


def tree_file(number: int) -> str:
    """File of one group of trees."""
    return f"uplift_{number}.txt"


def write_learned(folder: Path, learned: Learned | None, offers: OfferLifts) -> None:
    """Write what was learned of contacts and offers into a staged folder; what was not has no file."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    if offers:
        (folder / OFFERS).write_bytes(orjson.dumps(offers, option=options))
    if learned is None:
        return
    (folder / UPLIFT).write_bytes(orjson.dumps(learned.to_json(), option=options))
    for number, text in enumerate(learned.model.texts, 1):
        (folder / tree_file(number)).write_text(text, "utf-8")


def read_offer_lifts(bundle: Bundle) -> OfferLifts:
    """What offers were seen to do; empty where lots chose none."""
    path = bundle.folder / OFFERS
    content = orjson.loads(path.read_bytes()) if path.is_file() else {}
    return {name: OfferLift(**lift) for name, lift in content.items()}


def read_learned(bundle: Bundle) -> Learned | None:
    """What a bundle learned of contacts; None where there was too little to learn from.

    Raises
    ------
    BundleCorrupt
        If it was learned on other features than this release computes.
    """
    path = bundle.folder / UPLIFT
    if not path.is_file():
        return None
    content = orjson.loads(path.read_bytes())
    if tuple(content.pop("features")) != FEATURE_NAMES:
        raise BundleCorrupt(bundle.bundle_id, f"{UPLIFT} is of other features than this release computes")
    learner = content.pop("learner")
    n_files = 2 if learner == "t_learner" else 1
    texts = tuple((bundle.folder / tree_file(number)).read_text("utf-8") for number in range(1, n_files + 1))
    return Learned(UpliftModel(learner, texts), **content)


def uplift_of(model: UpliftModel, histories: Histories, bundle: Bundle) -> Vector:
    """What a contact adds to the chance that each customer returns within the horizon; shape (n_customers,)."""
    models = bundle.models
    facts = customer_facts(histories, models.value, models.lapse, models.economics.horizon_days, bundle.items.as_of_day)
    return model(customer_features(facts))
