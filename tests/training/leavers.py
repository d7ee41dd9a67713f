"""A shop in which it is known why customers left: some over a price, some over a product, some over nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from recsvc.domain.arrays import Mask
from recsvc.domain.history import Histories, concatenate
from tests.training.shop import config_of, day, prepared, write_csv
from training.churn_evidence import JudgedOrders, Troubles, evidence, judged_orders
from training.churn_market import Market, build_market
from training.config import TrainingConfig
from training.records import stream_histories

AS_OF, FIRST, CHANGE = "2025-01-01", date(2024, 1, 3), date(2024, 7, 17)  # the change begins a period of 28 days
EVERY_DAYS, LIMIT_DAYS = 14, 40.0
SIZES = {"stays": 240, "price": 40, "gone": 40, "faded": 40, "plain": 40}
ITEMS = [*((f"staple-{n}", f"Food > Shelf {n}") for n in range(20)), ("oil", "Food > Oil"), ("tea", "Food > Tea")]
ITEMS += [(f"nappy-{n}", "Baby") for n in range(4)]
Row = tuple[str, str, str, str, int, float]


@dataclass(frozen=True, slots=True)
class Leavers:
    """Everything the rules look at, and the truth: by customer, the group the name begins with."""

    histories: Histories
    market: Market
    at: JudgedOrders

    def group(self, name: str) -> Mask:
        """Which customers are of a group; shape (n_customers,)."""
        return np.array([one.startswith(name) for one in self.histories.customer_ids])

    def applies(self, troubles: Troubles | None = None) -> Mask:
        """Which reasons apply to whom; shape (n_customers, n_reasons)."""
        return evidence(self.histories, self.at, self.market, troubles)


def order_rows() -> Iterator[Row]:
    """Order lines of the shop: everybody orders every two weeks until they leave."""
    for group, size in SIZES.items():
        for n in range(size):
            for number, when in enumerate(_order_days(group, n)):
                for item, quantity, price in _basket(group, n, when, number):
                    yield f"{group}-{n}-{number}", f"{group}-{n:03d}", item, when.isoformat(), quantity, price


def write_leavers(folder: Path, settings: str = "") -> TrainingConfig:
    """The shop as files, and a config for it."""
    write_csv(folder / "orders.csv", list(order_rows()))
    write_csv(folder / "items.csv", ITEMS, ("item_id", "category"))
    return config_of(folder, f'{settings}[items]\npath = "items.csv"\n[orders]\npath = "orders.csv"\n')


@contextmanager
def leavers(folder: Path, as_of: str = AS_OF) -> Iterator[Leavers]:
    """The shop as the trainer sees it on a day."""
    with prepared(write_leavers(folder), as_of) as found:
        histories = concatenate(list(stream_histories(found.record_batches(), found.customer_ids)))
        limit = np.full(len(histories), LIMIT_DAYS)
        left = found.as_of_day - histories.last_order_day() > LIMIT_DAYS
        yield Leavers(histories, build_market(found), judged_orders(histories, left, limit, day(as_of)))


def _order_days(group: str, n: int) -> list[date]:
    end = date(2025, 1, 1) if group == "stays" else CHANGE
    days = [FIRST + timedelta(days=n % EVERY_DAYS + EVERY_DAYS * k) for k in range(27)]
    return [when for when in days if when < end]


def _basket(group: str, n: int, when: date, number: int) -> list[tuple[str, int, float]]:
    """Two staples, and what the group is about; some who stay spend as much, a few buy a little of it all."""
    units = 3 if group == "stays" and n % 3 == 0 else 1
    basket = [(f"staple-{(3 * n + number + k) % 20}", units, 10.0) for k in range(2)]
    oil = 15.0 if when >= CHANGE else 10.0
    if group == "price":
        basket.append(("oil", 4, oil))
    if group == "gone" and when < CHANGE:
        basket.append(("tea", 1, 10.0))
    if group == "faded" and when < CHANGE - timedelta(days=3 * EVERY_DAYS):
        basket.append((f"nappy-{n % 4}", 5, 10.0))
    if group == "stays" and n % 4 == 0:
        basket.append((f"nappy-{n // 4 % 4}", 1, 10.0))
    if group == "stays" and n % 8 == 0 and number % 3 == 0:
        basket.append(("oil", 1, oil))
    return basket
