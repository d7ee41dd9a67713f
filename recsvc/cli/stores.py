"""The folder of bundles and the live store, as the settings name them."""

from __future__ import annotations

import click
import sqlalchemy as sa

from recsvc.bundle.store import BundleStore
from recsvc.settings import load_settings
from recsvc.store.engine import open_store


def bundle_store(artifacts: str | None) -> BundleStore:
    """Folder of bundles the settings name."""
    return BundleStore(load_settings(artifacts=artifacts).folder)


def live_engine(artifacts: str | None) -> sa.Engine:
    """Live store the settings name, made where there is none; let go of when the command ends."""
    engine = open_store(load_settings(artifacts=artifacts).live_store_url)
    click.get_current_context().call_on_close(engine.dispose)
    return engine
