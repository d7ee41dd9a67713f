"""How to train: the part of a training config that has defaults for everybody."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field, NonNegativeFloat, PositiveFloat, PositiveInt, StringConstraints

from recsvc.domain.business_rules import StandingRules, parse_rule
from recsvc.domain.documents import Section
from recsvc.errors import FilterError

MAX_RULES = 50
OF_RULES = ("rules", "category_cap")  # of the ranking: nothing is learned from them


def _can_be_read(rule: str) -> str:
    try:
        parse_rule(rule)
    except FilterError as error:
        raise ValueError(str(error)) from error
    return rule


Rule = Annotated[str, AfterValidator(_can_be_read)]
Share = Annotated[float, Field(gt=0, lt=1)]


class EngineConfig(Section):
    """What the aggregation may use of the machine."""

    memory_limit: Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)? ?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$")] = "4GB"
    """Beyond this it spills to disk."""
    threads: PositiveInt = 2
    """For the aggregation and for ALS; part of what makes two runs identical."""
    temp_dir: str | None = None
    """Where to spill; the system's temporary folder when not given."""


class CatalogueConfig(Section):
    """Which products may be recommended."""

    min_buyers: PositiveInt = 3
    """Products fewer customers bought have too little history to be compared."""
    max_items: PositiveInt = 20_000
    """The products with the most buyers, up to this many: of a large catalogue this raises the floor by itself."""


USUAL_HALF_LIFE_DAYS = 90.0


class AlsConfig(Section):
    """Taste: weighted matrix factorisation by alternating least squares, in `implicit`'s spelling."""

    factors: PositiveInt = 64
    """Length of a taste vector."""
    regularization: PositiveFloat = 5.0
    """Pull of every factor towards zero."""
    alpha: PositiveFloat = 1.0
    """Confidence is alpha x decayed count of order-days; far below the 40 of the tutorials."""
    iterations: PositiveInt = 15
    """Passes over customers and items."""
    random_state: int = 7
    """Seed of the factors, and of the sample the blend is fitted on."""
    half_life_days: PositiveFloat | None = None
    """A purchase this long ago counts half; not given, chosen by past returns, 90 where they cannot tell."""
    max_count: PositiveFloat = 10.0
    """Cap of the decayed count, so that one staple does not become the whole taste."""
    winback_weight: Annotated[float, Field(ge=1, le=5)] = 1.5
    """Weight of lapsed high-value customers in the fit of the item factors; 1 is off."""

    @property
    def half_life(self) -> float:
        """Half-life in days: as given or chosen, else the usual one."""
        return USUAL_HALF_LIFE_DAYS if self.half_life_days is None else self.half_life_days


class ValueConfig(Section):
    """What a customer is worth."""

    horizon_days: PositiveInt = 365
    """Time over which CLV is counted."""
    margin: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of revenue that is margin; 1 counts revenue."""
    discount_rate: NonNegativeFloat = 0.1
    """Per year."""


class LapseConfig(Section):
    """Quantiles of the personal clock at which states begin, and who is worth winning back first."""

    due: Share = 0.5
    """Share of the customer's own gaps that end before `due` begins."""
    late: Share = 0.8
    """The same for `late`."""
    lapsed: Share = 0.95
    """The same for `lapsed`; the win-back list begins here."""
    lost: Share = 0.99
    """The same for `lost`."""
    win_back_churn: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Off the win-back list: who lapsed but stays away with less than this probability; 0 is nobody."""
    high_value_share: Share = 0.4
    """Top share of expected spend per year while active."""


class RankingConfig(Section):
    """The slate."""

    explore_slots: Annotated[int, Field(ge=0, le=10)] | None = None
    """Places of ten kept for products the customer never bought; not given, two, or one where two would cost much."""
    recent_days: PositiveInt = 28
    """Window of "popular now", before as_of."""
    rules: Annotated[tuple[Rule, ...], Field(max_length=MAX_RULES)] = ()
    """For every slate, one line each: `pin 1 where ...`, `boost 2 where ...`, `bury 3 where ...`, `block where ...`."""
    category_cap: PositiveInt | None = None
    """Items of one category (two levels deep) in a slate, at most; no limit when not given."""

    def standing(self) -> StandingRules:
        """Rules as a bundle holds them."""
        return StandingRules(self.rules, self.category_cap)


class RankerConfig(Section):
    """How both stages of the ranking are learned."""

    leaves: Annotated[int, Field(ge=2, le=128)] = 15
    """Leaves of a tree."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.05
    """Of the trees, of which there are a hundred."""
    min_pairs_in_leaf: PositiveInt = 100
    """Candidates that a leaf of a tree holds, at least."""
    blend_ridge: PositiveFloat = 0.1
    """Pull of the blend's weights towards zero: what told best a horizon ago must not be learned to the letter."""


class BacktestConfig(Section):
    """Replays of the past."""

    as_of: tuple[date, ...] = ()
    """Cut-offs; none leaves the choice to the pipeline."""
    silent_floor_days: PositiveInt = 30
    """For the back-test tables, nobody is lapsed before this many days."""
