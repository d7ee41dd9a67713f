"""What several commands share: their options, and opening the live bundle."""

from __future__ import annotations

from pathlib import Path

import click
import orjson
import sqlalchemy as sa

from recsvc.bundle.reader import open_bundle
from recsvc.bundle.store import BundleStore
from recsvc.serving.live_source import LiveSource
from recsvc.serving.recommender import Recommender
from recsvc.settings import load_settings
from recsvc.store.engine import open_store

with_artifacts = click.option(
    "--artifacts", type=click.Path(path_type=Path), help="Folder of the bundles [RECSVC_ARTIFACTS]."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


def bundle_store(artifacts: Path | None) -> BundleStore:
    """Folder of bundles the settings name."""
    return BundleStore(load_settings(artifacts=artifacts).artifacts)


def live_recommender(artifacts: Path | None) -> Recommender:
    """Recommender of the live bundle, which knows what happened since as the service does, where there is a store."""
    settings = load_settings(artifacts=artifacts)
    bundle = open_bundle(BundleStore(settings.artifacts).current())
    if settings.store_url is None and not settings.live_store_path.exists():
        return Recommender(bundle)
    engine = open_store(settings.live_store_url)
    source = LiveSource(engine)
    for close in (engine.dispose, source.close):
        click.get_current_context().call_on_close(close)
    return Recommender(bundle, source.of_bundle(bundle))


def live_engine(artifacts: Path | None) -> sa.Engine:
    """Live store the settings name, made where there is none; let go of when the command ends."""
    engine = open_store(load_settings(artifacts=artifacts).live_store_url)
    click.get_current_context().call_on_close(engine.dispose)
    return engine


def write_json(value: object) -> None:
    """Write a value to standard output as readable JSON."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))
