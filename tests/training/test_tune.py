"""A search looks only at days before the tests, begins with what is configured, and goes on where it stopped."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from recsvc.errors import DataError
from tests.trained import Trained
from training import tune as tune_module
from training.config import TrainingConfig
from training.pipeline import day_number
from training.progress import no_progress
from training.report_tune import as_toml, print_search
from training.tune import SEARCHED, Search, Trial, settings_of, tune, validation_days, with_settings

AS_OF = day_number(date(2026, 1, 1))


def search(config: TrainingConfig, n_trials: int, file: Path) -> Search:
    return tune(config, AS_OF, n_trials, file, no_progress())


def test_validation_horizons_end_before_the_first_test_cut_off(trained: Trained) -> None:
    config, first_day = trained.config, AS_OF - 700

    days = validation_days(config, AS_OF, first_day)

    tested = day_number(min(config.backtest.as_of))
    assert len(days) == 2
    assert all(first_day + config.horizon_days < day <= tested - config.horizon_days for day in days)


def test_too_little_history_is_said(trained: Trained) -> None:
    with pytest.raises(DataError, match="too little history"):
        validation_days(trained.config, AS_OF, day_number(min(trained.config.backtest.as_of)) - 70)


def test_a_search_begins_with_the_configs_own_settings_and_goes_on_from_its_file(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune_module, "VALIDATION_DAYS", 1)
    file = tmp_path / "folder" / "tune.log"

    one = search(trained.config, 1, file)
    more = search(trained.config, 2, file)
    again = search(trained.config, 2, file)

    assert one.trials == (one.current,)
    assert dict(one.current.settings) == settings_of(trained.config)
    assert 0 < one.current.ndcg < 1
    assert more.current == one.current
    assert len(more.trials) == 2
    assert more.trials[0].ndcg >= more.trials[1].ndcg
    assert again == more


def test_what_was_found_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_of(TrainingConfig())
    trials = [Trial(number, {**settings, "als.alpha": 1.0 + number}, 0.3 - number / 100) for number in range(6)]

    print_search(Console(width=80), Search((14_714,), trials[1], tuple(trials), {"als.alpha": 0.5}, given_up=2))

    printed = capsys.readouterr().out
    assert all(name in printed for name in SEARCHED)
    assert "0.3000" in printed
    assert "0.2700" in printed
    assert "0.2600" not in printed
    assert "The best is +0.0100 above the config's own" in printed


def test_settings_read_back_what_was_set() -> None:
    settings = {name: values[0] for name, values in SEARCHED.items()}

    assert settings_of(with_settings(TrainingConfig(), settings)) == settings
    assert "[als]" in as_toml(settings)
