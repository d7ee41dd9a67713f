from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from recsvc.domain.habits import Habit
from tests.training.shop import HEADER, config_of, prepared, write_csv
from training.habits import habit_table, known_habits, with_habits


def habits_of(folder: Path, toml: str = "", as_of: str = "2030-01-01") -> dict[str, Habit]:
    with prepared(config_of(folder, toml), as_of) as found:
        table = habit_table(found.session, found.acts, len(found.customer_ids))
        return dict(known_habits(found.customer_ids, table))


def at(customer: str, moment: str, channel: str = "web", item: str = "tea") -> list[object]:
    return [f"{customer}{moment}", customer, item, moment, 1, 1, channel]


def write(folder: Path, *rows: list[Any]) -> None:
    write_csv(folder / "orders.csv", rows, (*HEADER, "channel"))


def test_a_customer_prefers_the_hour_and_channel_of_most_of_their_days(tmp_path: Path) -> None:
    ann = [at("ann", f"2020-01-{n:02d} 21:{n}", "app") for n in range(10, 22)]
    bob = [at("bob", f"2020-01-{n:02d} 09:{n}", "store") for n in range(10, 22)]
    write(tmp_path, *ann, *bob)

    assert habits_of(tmp_path) == {"ann": Habit(21, "app"), "bob": Habit(9, "store")}


def test_a_large_basket_is_one_act(tmp_path: Path) -> None:
    basket = [at("ann", "2020-01-01 09:00", item=f"i{n}") for n in range(50)]
    write(tmp_path, *basket, *(at("ann", f"2020-01-{n:02d} 20:00") for n in range(2, 5)))

    assert habits_of(tmp_path)["ann"].best_hour == 20


def test_dates_without_a_time_say_nothing_of_the_hour(tmp_path: Path) -> None:
    write(tmp_path, at("ann", "2020-01-01", "web"), at("bob", "2020-01-01", ""))

    assert habits_of(tmp_path) == {"ann": Habit(None, "web")}


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 12), ("America/New_York", 7)])
def test_the_hour_is_that_of_the_wall_clock(zone: str, hour: int, tmp_path: Path) -> None:
    write(tmp_path, at("ann", "2020-01-01T12:30:00Z"))

    assert habits_of(tmp_path, f'timezone = "{zone}"')["ann"].best_hour == hour


def test_opening_and_clicking_are_acts_and_what_comes_after_as_of_is_not_known(tmp_path: Path) -> None:
    write(tmp_path, at("ann", "2020-01-01 10:00", ""))
    rows = [("ann", "sms", f"2020-02-{n:02d}", f"2020-02-{n:02d} 18:00") for n in range(1, 20)]
    write_csv(tmp_path / "contacts.csv", rows, ("customer_id", "channel", "sent_at", "opened_at"))
    toml = '[contacts]\npath = "contacts.csv"'

    assert habits_of(tmp_path, toml) == {"ann": Habit(18, "sms")}
    assert habits_of(tmp_path, toml, "2020-02-01") == {"ann": Habit(10, None)}


def test_customers_are_counted_a_chunk_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, *(at(f"c{n}", f"2020-01-{d:02d} {n:02d}:30", f"ch{n % 3}") for n in range(9) for d in range(1, 9)))
    whole = habits_of(tmp_path)

    monkeypatch.setattr("training.habits.CHUNK", 2)

    assert habits_of(tmp_path) == whole
    assert whole["c7"] == Habit(7, "ch1")


def test_preferences_follow_the_customers_whatever_the_order_of_the_table() -> None:
    habits = pa.table({"best_hour": pa.array([1, None], pa.int8()), "best_channel": ["web", None]})

    found = with_habits(pa.table({"customer_id": ["b", "a"]}), ("a", "b"), habits)

    assert found.to_pylist() == [
        {"customer_id": "b", "best_hour": None, "best_channel": None},
        {"customer_id": "a", "best_hour": 1, "best_channel": "web"},
    ]
