"""`recsvc serve`: gunicorn with production settings, in place of this process."""

from __future__ import annotations

import os
import sys

import click

from recsvc.settings import PREFIX, load_settings
from recsvc.store.engine import open_store

COMMAND = ("-m", "gunicorn", "--config", "python:recsvc.gunicorn_conf", "recsvc.wsgi:build_app()")


@click.command(epilog="Example: recsvc serve --artifacts artifacts --bind 0.0.0.0:8000 --workers 4")
@click.option("--artifacts", metavar="FOLDER", help="Folder of the bundles, or URL [RECSVC_ARTIFACTS].")
@click.option("--bind", metavar="HOST:PORT", help="Where to listen [RECSVC_BIND].")
@click.option("--workers", type=int, help="Worker processes, one per CPU [RECSVC_WORKERS].")
def serve(artifacts: str | None, bind: str | None, workers: int | None) -> None:
    """Serve recommendations over HTTP until told to stop (SIGTERM); new bundles are taken up while it runs."""
    settings = load_settings(artifacts=artifacts, bind=bind, workers=workers)
    open_store(settings.live_store_url).dispose()  # a store that cannot work stops start-up here, not in a worker
    chosen = {f"{PREFIX}{name.upper()}": str(getattr(settings, name)) for name in ("artifacts", "bind", "workers")}
    os.execve(sys.executable, [sys.executable, *COMMAND], os.environ | chosen)  # noqa: S606  no shell on purpose
