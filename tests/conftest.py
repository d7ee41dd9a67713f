"""What every test may use: an environment without our settings, and one small bundle trained for the whole run."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from recsvc.serving.recommender import Recommender
from recsvc.settings import PREFIX
from tests.databases import postgres, store_url
from tests.trained import Trained, train, write_shop

__all__ = ["postgres", "store_url"]  # fixtures

# No test depends on how fast the machine is, or on luck.
settings.register_profile("recsvc", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("recsvc")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _log_configuration_of_its_own() -> Iterator[None]:
    """A test that configures the service's log does not silence the next one."""
    yield
    for name in ("recsvc", "gunicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A bundle of 500 customers and 80 items; whoever writes into its artifacts copies them first."""
    folder = tmp_path_factory.mktemp("trained")
    return train(write_shop(folder), folder / "artifacts")


@pytest.fixture(scope="session")
def recommender(trained: Trained) -> Recommender:
    return trained.recommender()


@pytest.fixture(scope="session")
def everybody(recommender: Recommender) -> list[str]:
    """Every customer of the bundle, the win-back list first."""
    ids: list[str] = recommender.bundle.customer_table["customer_id"].to_pylist()
    return ids
