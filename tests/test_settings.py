from __future__ import annotations

from pathlib import Path

import pytest

from recsvc.errors import ConfigError
from recsvc.settings import PREFIX, Settings, load_settings


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def test_the_live_store_lies_beside_the_bundles_unless_told_otherwise() -> None:
    assert load_settings(artifacts=Path("/data")).live_store_url == "sqlite:////data/live.sqlite"
    assert load_settings(store_url="sqlite:///x").live_store_url == "sqlite:///x"


def test_bundles_of_another_place_are_copied_to_the_working_directory() -> None:
    here, there = load_settings(artifacts=Path("/data")), load_settings(artifacts="s3://bucket/bundles")

    assert (here.folder, here.artifacts_url) == (Path("/data"), None)
    assert (there.folder, there.artifacts_url) == (Path("artifacts"), "s3://bucket/bundles")


def test_the_environment_is_read_and_arguments_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSVC_WORKERS", "7")
    monkeypatch.setenv("RECSVC_BIND", "0.0.0.0:80")
    monkeypatch.setenv("RECSVC_THREADS", "")

    settings = load_settings(bind="[::1]:9000", workers=None)

    assert (settings.workers, settings.bind, settings.threads) == (7, "[::1]:9000", 4)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECSVC_WORKERS", "0"),
        ("RECSVC_WORKERS", "many"),
        ("RECSVC_BIND", "8000"),
        ("RECSVC_BIND", "127.0.0.1:65536"),
        ("RECSVC_ADMIN_BIND", "0.0.0.0:8000"),
        ("RECSVC_REQUESTS_PER_SECOND", "-1"),
        ("RECSVC_KEYS_REQUIRED", "perhaps"),
        ("RECSVC_LOG_LEVEL", "LOUD"),
        ("RECSVC_MAX_BODY_BYTES", "12"),
    ],
)
def test_a_wrong_value_stops_start_up_naming_the_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError, match=name):
        load_settings()


def test_a_misspelt_setting_stops_start_up_naming_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECSVC_WORKRES", "3")

    with pytest.raises(ConfigError, match="RECSVC_WORKRES: no such setting; did you mean RECSVC_WORKERS"):
        load_settings()


def test_settings_stay_within_their_budget_and_say_what_they_are() -> None:
    assert len(Settings.model_fields) <= 15
    assert all(field.description for field in Settings.model_fields.values())


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().workers = 3  # type: ignore[misc]
