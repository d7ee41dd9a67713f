"""What several commands share: their options, and opening the live bundle."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from recsvc.bundle.reader import open_bundle
from recsvc.bundle.store import BundleStore
from recsvc.serving.recommender import Recommender
from recsvc.settings import load_settings

with_artifacts = click.option(
    "--artifacts", type=click.Path(path_type=Path), help="Folder of the bundles [RECSVC_ARTIFACTS]."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


def bundle_store(artifacts: Path | None) -> BundleStore:
    """Folder of bundles the settings name."""
    return BundleStore(load_settings(artifacts=artifacts).artifacts)


def live_recommender(artifacts: Path | None) -> Recommender:
    """Recommender of the live bundle."""
    return Recommender(open_bundle(bundle_store(artifacts).current()))


def write_json(value: object) -> None:
    """Write a value to standard output as readable JSON."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))
