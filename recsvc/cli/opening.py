"""The live bundle, opened as the service opens it."""

from __future__ import annotations

import click

from recsvc.bundle.reader import open_bundle
from recsvc.bundle.store import BundleStore
from recsvc.serving.live_source import LiveSource
from recsvc.serving.recommender import Recommender
from recsvc.settings import load_settings
from recsvc.store.engine import open_store


def live_recommender(artifacts: str | None) -> Recommender:
    """Recommender of the live bundle, which knows what happened since as the service does, where there is a store."""
    settings = load_settings(artifacts=artifacts)
    bundle = open_bundle(BundleStore(settings.folder).current())
    if settings.store_url is None and not settings.live_store_path.exists():
        return Recommender(bundle)
    engine = open_store(settings.live_store_url)
    source = LiveSource(engine)
    for close in (engine.dispose, source.close):
        click.get_current_context().call_on_close(close)
    return Recommender(bundle, source.of_bundle(bundle))
