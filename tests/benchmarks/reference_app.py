"""The service with two routes more, to measure the others against: what keys, limits, logs and sockets cost alone.

One sends the same slate each time. The other does, for that, what every live answer cannot do without: search the items
nearest to a taste, and let the trees look at a hundred candidates.
"""

from __future__ import annotations

import numpy as np
import orjson
from flask import Flask

import recsvc.wsgi
from recsvc.api.replies import slate_json
from recsvc.api.route import Route, json_response
from recsvc.api.routes import ROUTES
from recsvc.api.services import Services
from recsvc.domain.features import TREE_NAMES
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query

FIXED, BARE = "/v1/fixed", "/v1/bare"
NEAREST, CANDIDATES = 100, 100
_ROWS = np.random.default_rng(7).random((CANDIDATES, len(TREE_NAMES)), np.float32)


def fixed(services: Services) -> object:
    """The slate of strangers."""
    return _slate(services)


def bare(services: Services) -> object:
    """The same after a search and a look at a hundred candidates."""
    recommender = services.recommender()
    assert isinstance(recommender, Recommender)
    factors, scorer = recommender.bundle.factors, recommender.scorer
    scorer.index.nearest(factors[0], NEAREST, np.ones(len(factors), bool))
    if scorer.trees is not None:
        scorer.trees.score(_ROWS)
    return _slate(services)


_held: dict[str, object] = {}


def _slate(services: Services) -> object:
    if not _held:
        recommender = services.recommender()
        slate = recommender.recommend(Query(""), now=services.clock())
        _held.update(orjson.loads(json_response(slate_json(slate, recommender)).get_data()))
    return _held


def build_app() -> Flask:
    """Build the service, with the routes more."""
    return recsvc.wsgi.build_app(
        (
            *ROUTES,
            Route("GET", FIXED, fixed, "The same slate each time", scope="read"),
            Route("GET", BARE, bare, "The same after what no live answer can do without", scope="read"),
        )
    )
