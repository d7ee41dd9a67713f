"""The application of a real worker process, with the fake recommender in it."""

from flask import Flask

from recsvc.app import create_app
from recsvc.settings import load_settings
from recsvc.store.engine import open_store
from recsvc.store.keys import KeyStore
from tests.fake_recommender import FakeLive


def build_app() -> Flask:
    settings = load_settings()
    return create_app(settings, FakeLive(), KeyStore(open_store(settings.live_store_url)))
