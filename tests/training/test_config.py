from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from recsvc.errors import ConfigError
from training.config import TrainingConfig, load_config, preset_names


def write(folder: Path, text: str) -> Path:
    file = folder / "shop.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads(name: str) -> None:
    config = load_config(name)

    assert config.as_of is not None
    assert config.backtest.as_of


def test_presets_of_both_data_sets_ship() -> None:
    assert {"complete_journey", "online_retail"} <= set(preset_names())


def test_an_empty_file_is_a_config_of_defaults(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, ""))

    assert config == TrainingConfig()
    assert config.horizon_days == 90


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, '[orders]\npath = "data/*.csv"'))

    assert config.orders.path == str(tmp_path / "data/*.csv")


def test_paths_in_overrides_are_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    config = load_config("complete_journey", {"orders.path": "mine.csv", "as_of": None})

    assert config.orders.path == str(tmp_path / "mine.csv")
    assert config.orders.package is None
    assert config.as_of == date(2018, 1, 2)


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("horizon_day", "horizon_days"),
        ("als.factor", "factors"),
        ("orders.columns.custmer_id", "customer_id"),
        ("items.columns.titel", "title"),
        ("cleaning.max_quantities", "max_quantity"),
    ],
)
def test_a_misspelt_key_is_named_with_its_neighbour(key: str, nearest: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config("online_retail", {key: "x"})

    assert caught.value.key == key
    assert f"did you mean {nearest}?" in str(caught.value)


@pytest.mark.parametrize(
    ("section", "key", "says"),
    [
        ('ranking]\nrules = ["boost where a"]', "ranking.rules.0", "character 6: expected a factor above 1"),
        ("ranking]\ncategory_cap = 0", "ranking.category_cap", "greater than"),
        ('items]\nattributes = ["price"]', "items.attributes.0", "filters know already"),
    ],
)
def test_rules_and_columns_for_filters_are_checked_when_the_config_is_read(
    tmp_path: Path, section: str, key: str, says: str
) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        load_config(write(tmp_path, f"[{section}"))

    assert caught.value.key == key


def test_a_key_like_no_other_gets_the_list(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="known here: orders, items"):
        load_config(write(tmp_path, "zzzzz = 1"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("als.factors", 0),
        ("als.winback_weight", 9.0),
        ("lapse.due", 1.0),
        ("timezone", "Europe/Londinium"),
        ("orders.return_order_pattern", "("),
        ("engine.memory_limit", "lots"),
        ("orders.delimiter", ",,"),
    ],
)
def test_a_value_out_of_range_is_named(key: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config("online_retail", {key: value})

    assert caught.value.key == key


@pytest.mark.parametrize("content", [b"horizon_days =", b"\xff\xfe"])
def test_a_file_that_is_not_toml_says_so(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "shop.toml"
    file.write_bytes(content)

    with pytest.raises(ConfigError, match="is not TOML"):
        load_config(file)


def test_a_file_that_is_not_there_names_the_presets(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="complete_journey"):
        load_config(tmp_path / "nothing.toml")


def test_the_digest_is_of_the_recipe_not_of_where_the_data_lies() -> None:
    here = load_config("online_retail", {"orders.path": "here.csv", "engine.threads": 1})
    there = load_config("online_retail", {"orders.path": "there.csv", "engine.threads": 2})
    other = load_config("online_retail", {"orders.path": "here.csv", "als.factors": 32})

    assert here.digest() == there.digest()
    assert here.digest() != other.digest()
