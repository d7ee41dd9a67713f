"""Half-lives chosen from histories in which taste fades fast, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from training.config import TrainingConfig
from training.config_recipe import USUAL_HALF_LIFE_DAYS, AlsConfig
from training.half_life import CANDIDATES, MIN_RETURNERS, choose_half_life
from training.tables import Prepared

DAY, N_ITEMS = 20_000, 40
Lines = list[tuple[int, int]]


@dataclass
class FakePrepared:
    """Records of customers with one line an order."""

    records: list[Lines]
    as_of_day: int = DAY

    @property
    def customer_ids(self) -> tuple[str, ...]:
        return tuple(f"c{number:04d}" for number in range(len(self.records)))

    @property
    def items(self) -> pa.Table:
        return pa.table({"item_id": [f"i{number}" for number in range(N_ITEMS)]})

    def record_batches(self) -> Any:
        rows = [(who, *line) for who, lines in enumerate(self.records) for line in sorted(lines)]
        customer, day, item = (np.array(column, np.int32) for column in zip(*rows, strict=True))
        ones = np.ones(len(rows))
        columns = {"quantity": ones.astype(np.float32), "amount": ones.astype(np.int64), "discount": ones * 0}
        return pa.table({"customer_row": customer, "day": day, "item_row": item, **columns}).to_batches()


def shop(n: int, fades: bool) -> tuple[Prepared, dict[str, frozenset[str]]]:
    """Customers who bought one thing often long ago and another twice lately, and buy again what fading says."""
    random = np.random.default_rng(7)
    records, truth = [], {}
    for customer in range(n):
        old, new = random.choice(N_ITEMS, 2, replace=False)
        lines = [(DAY - 300 - 10 * times, int(old)) for times in range(4)]
        lines += [(DAY - 5 - 10 * times, int(new)) for times in range(2)]
        records.append(lines)
        truth[f"c{customer:04d}"] = frozenset({f"i{new if fades else old}"})
    return cast("Prepared", FakePrepared(records)), truth


def test_where_taste_fades_a_short_half_life_is_chosen_and_where_it_does_not_a_long_one() -> None:
    fading, staying = (choose_half_life(*shop(300, fades)) for fades in (True, False))

    assert fading.days < 300 < staying.days
    assert fading.ndcg is not None
    assert set(fading.ndcg) == set(CANDIDATES)
    assert fading.ndcg[fading.days] == max(fading.ndcg.values()) == pytest.approx(1.0)
    assert fading.returners == 300


def test_too_few_returns_leave_the_usual_one() -> None:
    found = choose_half_life(*shop(MIN_RETURNERS - 1, fades=False))

    assert found.days == USUAL_HALF_LIFE_DAYS
    assert found.to_json()["ndcg"] == {}
    assert "fewer than" in found.why


def test_chance_leaves_the_usual_one() -> None:
    prepared, truth = shop(300, fades=True)
    other = {who: frozenset({"i0"}) for who in truth}  # nobody's taste

    assert choose_half_life(prepared, other).days == USUAL_HALF_LIFE_DAYS


def test_a_half_life_that_is_given_stays() -> None:
    given = TrainingConfig(als=AlsConfig(half_life_days=33.0))

    assert given.als.half_life == 33.0
    assert TrainingConfig().als.half_life == USUAL_HALF_LIFE_DAYS
