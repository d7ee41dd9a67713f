"""Learning from lots whom a contact brings back, and not merely who comes back.

Two ways are tried, and the one whose order of customers it has not seen gains more is learned again from everybody:
trees for each arm and their difference (T-learner), or trees for the class that says contacted and returned or neither
(class transformation). Only history in which lots decided who is contacted may be learned from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from recsvc.domain.arrays import Mask, Vector
from recsvc.serving.uplift import UpliftModel

Table = NDArray[np.float64]
Uplift = Callable[[Table], Vector]  # what is seen, shape (n_customers, n_columns) -> (n_customers,), in [-1, 1]
FOLDS: Final = 5
N_TREES: Final = 120
ORDERS_BY_LOT: Final = 300
CHANCE: Final = 0.01
MIN_RETURNS: Final = 100  # in each arm: a fold of the smaller one then still holds some 20
PARAMETERS: Final = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 8,
    "min_data_in_leaf": 100,
    "lambda_l2": 10.0,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True, slots=True)
class Lots:
    """Customers of past campaigns whose contact was decided by lot; every array has shape (n_customers, ...).

    Attributes
    ----------
    seen : shape (n_customers, n_columns), known before the campaign
    is_contacted : as assigned, whatever reached whom
    returned : within the horizon
    """

    seen: Table
    is_contacted: Mask
    returned: Mask

    @property
    def are_enough(self) -> bool:
        """Whether both arms hold enough returns to learn from."""
        arms = self.is_contacted, ~self.is_contacted
        return min(int((self.returned & arm).sum()) for arm in arms) >= MIN_RETURNS

    def part(self, rows: Mask) -> Lots:
        """Some of the customers."""
        return Lots(self.seen[rows], self.is_contacted[rows], self.returned[rows])


@dataclass(frozen=True, slots=True)
class UpliftFit:
    """What was learned.

    Attributes
    ----------
    name : in `LEARNERS`
    qini : by name of every learner, cross-fitted
    """

    name: str
    qini: Mapping[str, float]
    predict: UpliftModel


def t_learner(lots: Lots, seed: int) -> UpliftModel:
    """Chance of a return when contacted less the chance when not, by trees for each.

    References
    ----------
    Kuenzel, Sekhon, Bickel & Yu (2019), Metalearners for estimating heterogeneous treatment effects, PNAS 116(10)
    """
    texts = (
        _trees(lots.seen[arm], lots.returned[arm], np.ones(int(arm.sum())), seed)
        for arm in (lots.is_contacted, ~lots.is_contacted)
    )
    return UpliftModel("t_learner", tuple(texts))


def class_transformation(lots: Lots, seed: int) -> UpliftModel:
    """2 P(Z) - 1, where Z says contacted and returned, or neither, both arms weighing the same.

    References
    ----------
    Jaskowski & Jaroszewicz (2012), Uplift modeling for clinical trial data, ICML Workshop on Clinical Data Analysis
    """
    share = lots.is_contacted.mean()
    weight = np.where(lots.is_contacted, 0.5 / share, 0.5 / (1 - share))
    text = _trees(lots.seen, lots.is_contacted == lots.returned, weight, seed)
    return UpliftModel("class_transformation", (text,))


LEARNERS: Final = {"t_learner": t_learner, "class_transformation": class_transformation}


def fit_uplift(lots: Lots, seed: int = 7) -> UpliftFit:
    """Learn by whichever way has the higher cross-fitted Qini.

    Parameters
    ----------
    lots
        They should be enough; with few, the winner is decided by noise.
    """
    gained = {
        name: qini(cross_fitted(learner, lots, seed), lots.is_contacted, lots.returned)
        for name, learner in LEARNERS.items()
    }
    best = max(gained, key=gained.__getitem__)
    return UpliftFit(best, gained, LEARNERS[best](lots, seed))


def is_beyond_chance(found: float, lots: Lots, seed: int = 7) -> bool:
    """Whether a Qini is above those of all but a hundredth of orders drawn by lot."""
    rng, n = np.random.default_rng(seed), len(lots.returned)
    by_lot = [qini(rng.random(n), lots.is_contacted, lots.returned) for _ in range(ORDERS_BY_LOT)]
    return found > float(np.quantile(by_lot, 1 - CHANCE))


def cross_fitted(learner: Callable[[Lots, int], Uplift], lots: Lots, seed: int) -> Vector:
    """Uplift of every customer as learned from the others, fold by fold; shape (n_customers,)."""
    n = len(lots.returned)
    fold = np.random.default_rng(seed).permutation(n) % FOLDS
    found = np.zeros(n)
    for one in range(FOLDS):
        found[fold == one] = learner(lots.part(fold != one), seed)(lots.seen[fold == one])
    return found


def qini(uplift: Vector, is_contacted: Mask, returned: Mask) -> float:
    """Extra returns for each customer by contacting the first in order of uplift, less by lot, over all shares of them.

    Parameters
    ----------
    uplift : shape (n_customers,)
        Of customers it was not learned from.

    References
    ----------
    Radcliffe (2007), Using control groups to target on predicted lift, Direct Marketing Analytics Journal

    Examples
    --------
    >>> contacted, returned = np.array([True, False, True, False]), np.array([True, False, False, False])
    >>> qini(np.array([0.9, 0.8, 0.2, 0.1]), contacted, returned)
    0.09375
    """
    order = np.argsort(-uplift, kind="stable")
    is_contacted, returned = is_contacted[order], returned[order]
    n_contacted, n_alone = np.cumsum(is_contacted), np.cumsum(~is_contacted)
    like_contacted = n_contacted / np.maximum(n_alone, 1)
    extra = np.cumsum(is_contacted & returned) - np.cumsum(~is_contacted & returned) * like_contacted
    by_lot = extra[-1] * np.arange(1, len(order) + 1) / len(order)
    return float((extra - by_lot).mean() / len(order))


def _trees(seen: Table, label: Mask, weight: Vector, seed: int) -> str:
    """Trees in LightGBM's own text format."""
    data = lgb.Dataset(seen, label.astype(np.float64), weight=weight)
    text: str = lgb.train({**PARAMETERS, "seed": seed}, data, N_TREES).model_to_string()
    return text
