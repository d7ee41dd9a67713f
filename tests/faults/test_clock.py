"""A clock that jumps: what counts seconds does not notice, what knows dates says so and heals with the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.faults.serving import Shop, shop_over
from tests.trained import NOW, Trained

YEARS = timedelta(days=2_000)
WELL = (200, None)


@pytest.fixture
def shop(trained: Trained, tmp_path: Path) -> Iterator[Shop]:
    with shop_over(trained.artifacts, f"sqlite:///{tmp_path / 'live.sqlite'}", NOW) as made:
        yield made


@pytest.mark.parametrize("jump", [-YEARS, YEARS], ids=["back", "forward"])
def test_questions_are_answered_and_keys_work_whatever_the_clock_says(shop: Shop, jump: timedelta) -> None:
    before = shop.asks()
    shop.clock.now += jump

    assert (before, shop.asks()) == (WELL, WELL)


def test_a_bundle_is_too_old_only_while_the_clock_is_ahead(shop: Shop) -> None:
    shop.clock.now = NOW - YEARS
    behind = shop.ready()
    shop.clock.now = NOW + YEARS
    ahead = shop.ready()
    shop.clock.now = NOW

    assert (behind, ahead, shop.ready()) == (WELL, (503, "not_ready"), WELL)


def test_events_from_after_the_present_are_rejected_by_name_and_the_others_kept(shop: Shop) -> None:
    shop.clock.now = NOW - timedelta(hours=2)  # our clock fell back; the sender's did not

    reply = shop.sends(NOW, NOW - timedelta(hours=2))

    assert reply["accepted"] == 1
    assert reply["rejected"] == [{"index": 0, "reason": "occurred_at: is more than an hour ahead"}]


def test_events_kept_while_the_clock_was_ahead_do_not_stop_later_ones(shop: Shop) -> None:
    shop.clock.now = NOW + YEARS
    ahead = shop.sends()
    shop.clock.now = NOW
    later = shop.sends()

    assert (ahead["accepted"], later["accepted"]) == (1, 1)
    assert shop.asks("anna") == WELL
