"""Learning the second stage: trees that order the blend's shortlist, if on the latest past they did better than it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np

from recsvc.domain.arrays import Counts, Floats, Mask, Vector
from recsvc.domain.blending import LinearBlend, RankedBy
from recsvc.domain.features import BLEND_NAMES, TREE_NAMES
from recsvc.serving.ranking import choose
from recsvc.serving.trees import Trees
from training.blend import prior_blend
from training.config_recipe import RankerConfig
from training.metrics import ndcg_of_pairs
from training.past_returns import PastReturns
from training.split import REGULAR_ORDERS

K = 10
N_TREES = 100  # more take longer at every request than they are worth
MIN_RETURNS = 200  # customers, over all label days: below this floor trees learn by heart
MIN_JUDGED = 30
EXPLORE_SLOTS = (2, 1)  # of ten, the most that is affordable
MAX_EXPLORE_COST = 0.0125  # NDCG@10; the slate may lose .015, and seasons differ
PARAMETERS = {
    "objective": "rank_xendcg",
    "lambda_l2": 5.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 127,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
PARAMETERS_BEGIN = "\nparameters:"  # in LightGBM's text format: a record of the training that prediction does not read
TOO_FEW = f"fewer than {MIN_RETURNS} past returns to learn trees from"


@dataclass(frozen=True, slots=True)
class Trial:
    """NDCG@10 on the latest label day, of customers the trees had not seen; with how many they were.

    `explore_cost` says what each number of places for new products costs regular customers, whichever stage ranks.
    """

    customers: int
    trees: float
    blend: float
    explore_cost: dict[int, float]

    def explore_slots(self) -> int:
        """Most places of ten for new products that cost little."""
        affordable = [slots for slots in EXPLORE_SLOTS if self.explore_cost[slots] <= MAX_EXPLORE_COST]
        return affordable[0] if affordable else EXPLORE_SLOTS[-1]

    def to_json(self) -> dict[str, Any]:  # JSON
        """Plain values by name."""
        cost = {str(slots): value for slots, value in self.explore_cost.items()}
        return {"customers": self.customers, "trees": self.trees, "blend": self.blend, "explore_cost": cost}


@dataclass(frozen=True, slots=True)
class RankerFit:
    """Both stages, which of them ranks, and why.

    Attributes
    ----------
    trees : text of `ranker.txt`; None where the blend ranks
    label_days : days since 1970-01-01, latest first
    returns : customers learned from, over all label days
    trial : None where there was too little to try
    """

    blend: LinearBlend
    ranked_by: RankedBy
    trees: str | None
    label_days: tuple[int, ...] = ()
    returns: int = 0
    trial: Trial | None = None

    @property
    def explore_slots(self) -> int:
        """Places of ten for products never bought, where the config names no number."""
        return EXPLORE_SLOTS[0] if self.trial is None else self.trial.explore_slots()

    def to_json(self) -> dict[str, Any]:  # JSON
        """Content of `ranker` in `report.json`."""
        trial = None if self.trial is None else self.trial.to_json()
        return {
            **self.ranked_by.to_json(),
            "label_days": list(self.label_days),
            "returns": self.returns,
            "trial": trial,
        }


def no_ranker(why: str = "there is no past to learn from") -> RankerFit:
    """Stand in until there is something to learn from."""
    return RankerFit(prior_blend(), RankedBy(False, why), None)


def fit_ranker(days: Sequence[PastReturns], recipe: RankerConfig, threads: int, seed: int) -> RankerFit:
    """Learn both stages from label days, the latest first.

    The trees rank if they beat the blend where neither could have looked: trees learned on the earlier days from half
    of the customers, and the blend of the day before, on the other half of the latest day. With one label day both
    halves are of that day. Trees that win are learned again from everything.

    References
    ----------
    Ke et al. (2017), LightGBM, NeurIPS; Bruch (2021), An Alternative Cross Entropy Loss for Learning-to-Rank, WWW
    """
    latest, earlier = days[0], list(days[1:]) or [days[0]]
    returns = sum(map(len, days))
    if returns < MIN_RETURNS or latest.held_out.sum() < MIN_JUDGED:
        return RankerFit(latest.blend, RankedBy(False, TOO_FEW), None, returns=returns)
    trial = _trial(latest, earlier, recipe, threads, seed)
    if trial.trees <= trial.blend:
        why = f"on the latest label day trees had NDCG@10 {trial.trees:.4f}, the blend {trial.blend:.4f}"
        return RankerFit(latest.blend, RankedBy(False, why), None, returns=returns, trial=trial)
    text = fit_trees([(day, np.ones(len(day), bool)) for day in days], recipe, threads, seed)
    why = f"on the latest label day they had NDCG@10 {trial.trees:.4f}, the blend {trial.blend:.4f}"
    return RankerFit(latest.blend, RankedBy(True, why), text, returns=returns, trial=trial)


def fit_trees(parts: Sequence[tuple[PastReturns, Mask]], recipe: RankerConfig, threads: int, seed: int) -> str:
    """Text of trees learned from some of the customers of each label day."""
    taken = [_rows(day, customers) for day, customers in parts]
    data = lgb.Dataset(
        [matrix for matrix, _, _ in taken],
        label=np.concatenate([hits for _, hits, _ in taken]).astype(np.float32),
        group=np.concatenate([sizes for _, _, sizes in taken]),
        feature_name=list(TREE_NAMES),
        params={"max_bin": PARAMETERS["max_bin"], "verbosity": -1, "num_threads": threads},
    )
    chosen = {
        **PARAMETERS,
        "num_leaves": recipe.leaves,
        "learning_rate": recipe.learning_rate,
        "min_data_in_leaf": recipe.min_pairs_in_leaf,
        "num_threads": threads,
        "seed": seed,
    }
    text: str = lgb.train(chosen, data, num_boost_round=N_TREES).model_to_string()
    return text.partition(PARAMETERS_BEGIN)[0]  # they name the threads, and would make equal bundles differ


def mean_ndcg(returns: PastReturns, scores: Vector, customers: Mask) -> float:
    """Mean NDCG@10 of some customers' shortlists in order of score; ties in order of the pairs."""
    values = ndcg_of_pairs(scores, returns.hits, returns.sizes, returns.bought, K)
    return float(values[customers].mean())


def _trial(latest: PastReturns, earlier: Sequence[PastReturns], recipe: RankerConfig, threads: int, seed: int) -> Trial:
    text = fit_trees([(day, ~day.held_out) for day in earlier], recipe, threads, seed)
    judged = latest.held_out
    by_trees = Trees(text, TREE_NAMES).score(latest.matrix)
    by_blend = earlier[0].blend.score(latest.matrix[:, : len(BLEND_NAMES)].astype(np.float64))
    trees, blend = mean_ndcg(latest, by_trees, judged), mean_ndcg(latest, by_blend, judged)
    best = by_trees if trees > blend else by_blend
    return Trial(int(judged.sum()), trees, blend, explore_cost(latest, best, judged & _is_regular(latest)))


def explore_cost(returns: PastReturns, scores: Vector, customers: Mask) -> dict[int, float]:
    """NDCG@10 that each number of places for new products costs some customers; nothing where there are none."""
    if not customers.any():
        return dict.fromkeys(EXPLORE_SLOTS, 0.0)
    without = mean_ndcg(returns, scores, customers)
    return {slots: without - slate_ndcg(returns, scores, customers, slots) for slots in EXPLORE_SLOTS}


def _is_regular(returns: PastReturns) -> Mask:
    """Which customers the back-test tests: whoever bought once has little to lose to something new."""
    orders = returns.matrix[np.cumsum(returns.sizes) - returns.sizes, TREE_NAMES.index("orders")]
    regular: Mask = np.expm1(orders) > REGULAR_ORDERS - 0.5
    return regular


def slate_ndcg(returns: PastReturns, scores: Vector, customers: Mask, explore_slots: int) -> float:
    """Mean NDCG@10 of slates that keep their last places for products never bought."""
    starts, is_new = np.cumsum(returns.sizes) - returns.sizes, returns.matrix[:, TREE_NAMES.index("bought")] == 0
    values = []
    for customer in np.flatnonzero(customers):
        mine = np.arange(starts[customer], starts[customer] + returns.sizes[customer])
        ranked = mine[np.argsort(-scores[mine], kind="stable")]
        hits = returns.hits[choose(ranked, is_new[ranked], K, explore_slots)]
        ideal = (1 / np.log2(np.arange(min(returns.bought[customer], K)) + 2.0)).sum()
        values.append((hits / np.log2(np.arange(len(hits)) + 2.0)).sum() / ideal)
    return float(np.mean(values))


def _rows(day: PastReturns, customers: Mask) -> tuple[Floats, Mask, Counts]:
    if customers.all():
        return day.matrix, day.hits, day.sizes
    pairs = np.repeat(customers, day.sizes)
    return day.matrix[pairs], day.hits[pairs], day.sizes[customers]
