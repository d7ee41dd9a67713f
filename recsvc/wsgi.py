"""The application a WSGI server makes, once in every worker, after fork.

Start it with `recsvc serve`, or `gunicorn --config python:recsvc.gunicorn_conf "recsvc.wsgi:build_app()"`.
Any other server must set `OMP_NUM_THREADS=1` and `OPENBLAS_NUM_THREADS=1` itself, before Python starts,
and must not preload.
"""

from __future__ import annotations

import logging
import logging.config

from flask import Flask

from recsvc.api.logs import log_config
from recsvc.api.route import Route
from recsvc.api.routes import ROUTES
from recsvc.app import create_app
from recsvc.bundle.remote import RemoteBundles
from recsvc.bundle.store import BundleStore
from recsvc.serving.live_source import LiveSource
from recsvc.serving.mirror import Mirror
from recsvc.serving.reload import LiveRecommender
from recsvc.settings import load_settings
from recsvc.store.engine import open_store
from recsvc.store.keys import KeyStore


def build_app(routes: tuple[Route, ...] = ROUTES) -> Flask:
    """Build the service that the environment describes.

    Raises
    ------
    ConfigError
        If a setting is wrong.
    StoreUnavailable
        If the live store does not answer.
    """
    settings = load_settings()
    logging.config.dictConfig(log_config(settings.log_level))
    if not settings.keys_required:
        logging.getLogger(__name__).warning("RECSVC_KEYS_REQUIRED is off: everybody may ask everything")
    engine = open_store(settings.live_store_url)
    if settings.artifacts_url:
        Mirror(RemoteBundles(settings.artifacts_url), BundleStore(settings.folder)).start()
    live = LiveRecommender(settings.folder, LiveSource(engine).of_bundle)
    live.start()
    return create_app(settings, live, KeyStore(engine), routes=routes)
