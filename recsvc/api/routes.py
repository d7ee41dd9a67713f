"""Every route of the service, in one table."""

from __future__ import annotations

from recsvc.api import availability, bundles, customers, docs, events, health, items, lists, recommendations
from recsvc.api.route import Route

ROUTES: tuple[Route, ...] = (
    *recommendations.ROUTES,
    *customers.ROUTES,
    *items.ROUTES,
    *availability.ROUTES,
    *lists.ROUTES,
    *events.ROUTES,
    *bundles.ROUTES,
    *health.ROUTES,
    *docs.ROUTES,
)
